import { describe, expect, it } from 'vitest';
import { Channel } from '../protocol.gen.ts';
import { HOLD_MS, Ring } from './ring.ts';
import { Recording, indexAt } from './source.ts';

const chunk = (times: number[], columns: Record<number, number[]>) => ({
  times: Float64Array.from(times),
  channels: Uint16Array.from(Object.keys(columns), Number),
  values: Float64Array.from(Object.values(columns).flat()),
});

describe('Ring', () => {
  it('keeps the latest samples when it is full', () => {
    const ring = new Ring(4);
    ring.push(chunk([1, 2, 3], { [Channel.Speed]: [10, 20, 30] }));
    ring.push(chunk([4, 5, 6], { [Channel.Speed]: [40, 50, 60] }));
    expect(ring.length).toBe(4);
    expect([0, 1, 2, 3].map((i) => [ring.time(i), ring.value(Channel.Speed, i)])).toEqual([
      [3, 30],
      [4, 40],
      [5, 50],
      [6, 60],
    ]);
    expect(ring.time(4)).toBeNaN();
  });

  it('drops samples that came before', () => {
    const ring = new Ring(8);
    ring.push(chunk([1, 2], { [Channel.Speed]: [10, 20] }));
    ring.push(chunk([1, 2, 3], { [Channel.Speed]: [99, 99, 30] }));
    expect(ring.length).toBe(3);
    expect(ring.value(Channel.Speed, 1)).toBe(20);
  });

  it('begins anew when the agent has set its clock back', () => {
    const ring = new Ring(8);
    ring.push(chunk([60_000, 60_050], { [Channel.Speed]: [10, 20] }));
    ring.push(chunk([50_000], { [Channel.Speed]: [30] }));
    expect(ring.length).toBe(1);
    expect(ring.latest(Channel.Speed)).toBe(30);
  });

  it('does not show an old value in a slot that is used again', () => {
    const ring = new Ring(2);
    ring.push(chunk([1, 2], { [Channel.Fuel]: [50, 49], [Channel.Speed]: [1, 2] }));
    ring.push(chunk([3, 4], { [Channel.Speed]: [3, 4] }));
    expect(ring.value(Channel.Fuel, 0)).toBeNaN();
    expect(ring.value(Channel.Fuel, 1)).toBeNaN();
  });

  it('holds a value for a while and then does not know it', () => {
    const ring = new Ring(8);
    ring.push(chunk([1000], { [Channel.Fuel]: [50] }));
    ring.push(chunk([1000 + HOLD_MS], { [Channel.Speed]: [100] }));
    expect(ring.latest(Channel.Fuel)).toBe(50);
    ring.push(chunk([1001 + HOLD_MS], { [Channel.Speed]: [100] }));
    expect(ring.latest(Channel.Fuel)).toBeNaN();
    expect(ring.latest(Channel.Rpm)).toBeNaN();
  });

  it('is empty after clear', () => {
    const ring = new Ring(4);
    ring.push(chunk([1], { [Channel.Speed]: [10] }));
    ring.clear();
    expect(ring.length).toBe(0);
    expect(ring.has(Channel.Speed)).toBe(false);
    expect(ring.latest(Channel.Speed)).toBeNaN();
  });
});

describe('indexAt', () => {
  it('finds the last sample at or before a time, in live and recorded data', () => {
    const part = chunk([10, 20, 30], { [Channel.Speed]: [1, 2, 3] });
    const ring = new Ring(8);
    ring.push(part);
    const recording = new Recording({ opcode: 2, session: '', epoch: 0, sequence: 0, ...part });
    for (const source of [ring, recording]) {
      expect([5, 10, 19, 20, 30, 99].map((t) => indexAt(source, t))).toEqual([-1, 0, 0, 1, 2, 2]);
      expect(source.value(Channel.Speed, 2)).toBe(3);
      expect(source.has(Channel.Rpm)).toBe(false);
    }
  });
});
