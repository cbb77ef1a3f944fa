import { expect, it } from 'vitest';
import { Ring } from '../live/ring.ts';
import { indexAt } from '../live/source.ts';
import { Channel } from '../protocol.gen.ts';
import { bandsOf, rowsOf } from './trace-window.ts';

const part = (times: number[], speed: number) => ({
  times: Float64Array.from(times),
  channels: Uint16Array.of(Channel.SessionTime, Channel.Speed),
  values: Float64Array.from([...times.map((t) => t / 1000), ...times.map(() => speed)]),
});
const ring = (): Ring => {
  const made = new Ring(100);
  made.push(part([1000, 1500, 2000], 10));
  made.push(part([12_000, 12_500, 13_000], 20));
  return made;
};
const rows = (source: Ring, playheadMs: number, windowS: number) => {
  const [xs, speeds] = rowsOf(source, indexAt(source, playheadMs), playheadMs, windowS, [Channel.Speed]);
  return [Array.from(xs), speeds];
};

it('breaks the line where samples are missing', () => {
  expect(rows(ring(), 13_000, 30)).toEqual([
    [-12, -11.5, -11, -6, -1, -0.5, 0],
    [10, 10, 10, null, 20, 20, 20],
  ]);
});

it('has no break before the playhead has reached what follows it, and none where it begins before the window', () => {
  expect(rows(ring(), 11_999, 30)).toEqual([
    [-10.999, -10.499, -9.999],
    [10, 10, 10],
  ]);
  expect(rows(ring(), 13_000, 5)).toEqual([
    [-1, -0.5, 0],
    [20, 20, 20],
  ]);
});

it('shades what is missing within the window, and what came late', () => {
  const source = ring();
  const whole = { fromMs: 2000, toMs: 12_000 };
  expect(bandsOf(source, 13_000, 30)).toEqual([{ fromS: -11, toS: -1, whole, kind: 'missing' }]);
  expect(bandsOf(source, 13_000, 5)).toEqual([{ fromS: -5, toS: -1, whole, kind: 'missing' }]);
  expect(bandsOf(source, 43_000, 30)).toEqual([]);
  source.fill(part([3000, 4000], 15));
  expect(bandsOf(source, 13_000, 30).map(({ kind, fromS, toS }) => [kind, fromS, toS])).toEqual([
    ['missing', -9, -1],
    ['late', -10, -9],
  ]);
  expect(rows(source, 13_000, 30)[1]).toEqual([10, 10, 10, 15, 15, null, 20, 20, 20]);
});
