import { expect, it } from 'vitest';
import { Recording } from '../live/source.ts';
import { Channel } from '../protocol.gen.ts';
import { byDistance } from './lap-chart.ts';

it('leaves out where the car stands or goes back, and keeps gaps as gaps', () => {
  const distances = [0, 5, 5, 4, 9, NaN, 12];
  const speeds = [100, 101, 102, 103, NaN, 105, 106];
  const recording = new Recording({
    opcode: 2,
    session: '',
    epoch: 0,
    sequence: 0,
    times: Float64Array.from(distances, (_, i) => i * 50),
    channels: Uint16Array.of(Channel.LapDistance, Channel.Speed),
    values: Float64Array.from([...distances, ...speeds]),
  });
  const [xs, ys] = byDistance(recording, [Channel.Speed]);
  expect(Array.from(xs)).toEqual([0, 5, 9, 12]);
  expect(ys).toEqual([100, 101, null, 106]);
});
