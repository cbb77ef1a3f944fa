import { expect, it } from 'vitest';
import { Recording } from '../live/source.ts';
import { Channel } from '../protocol.gen.ts';
import { overDistance } from './lap-chart.ts';

const recording = (times: number[], distances: number[], speeds: number[]) =>
  new Recording({
    opcode: 2,
    session: '',
    epoch: 0,
    sequence: 0,
    times: Float64Array.from(times),
    channels: Uint16Array.of(Channel.LapDistance, Channel.Speed),
    values: Float64Array.from([...distances, ...speeds]),
  });
const anywhere = { fromM: null, toM: null };

it('leaves out where the car stands or goes back, and keeps unknown values unknown', () => {
  const distances = [0, 5, 5, 4, 9, NaN, 12];
  const source = recording(
    distances.map((_, i) => i * 50),
    distances,
    [100, 101, 102, 103, NaN, 105, 106],
  );
  const { rows, bands } = overDistance(source, [Channel.Speed], anywhere);
  expect([Array.from(rows[0]), rows[1]]).toEqual([
    [0, 5, 9, 12],
    [100, 101, null, 106],
  ]);
  expect(bands).toEqual([]);
});

it('breaks the line where samples are missing, and says from when to when', () => {
  const at = new Date(2026, 10, 20, 14, 3, 10).getTime();
  const source = recording(
    [at, at + 50, at + 20_000, at + 20_050, at + 20_100],
    [100, 104, NaN, 1200, 1204],
    [1, 2, 0, 3, 4],
  );
  const { rows, bands } = overDistance(source, [Channel.Speed], anywhere);
  expect([Array.from(rows[0]), rows[1]]).toEqual([
    [100, 104, 652, 1200, 1204],
    [1, 2, null, 3, 4],
  ]);
  expect(bands).toEqual([{ from: 104, to: 1200, kind: 'missing', when: '14:03:10–14:03:30' }]);
});

it('finds nothing missing where the car stood or the game was paused', () => {
  const source = recording([0, 50, 60_000, 60_050, 60_100], [100, 104, 104, 105, 108], [1, 2, 3, 4, 5]);
  const { rows, bands } = overDistance(source, [Channel.Speed], anywhere);
  expect([rows[1], bands]).toEqual([[1, 2, 4, 5], []]);
});

it('shows what is missing at the ends of a lap', () => {
  const source = recording([0, 50, 100], [900, 904, 908], [1, 2, 3]);
  const { rows, bands } = overDistance(source, [Channel.Speed], { fromM: 0, toM: 5000 });
  expect([Array.from(rows[0]), rows[1]]).toEqual([
    [0, 900, 904, 908, 5000],
    [null, 1, 2, 3, null],
  ]);
  expect(bands.map(({ from, to }) => [from, to])).toEqual([
    [0, 900],
    [908, 5000],
  ]);
  expect(overDistance(source, [Channel.Speed], { fromM: 750, toM: 1000 }).bands).toEqual([]);
});
