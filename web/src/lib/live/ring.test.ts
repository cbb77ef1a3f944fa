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

describe('Ring, where samples are missing', () => {
  const every = (fromMs: number, toMs: number, speed: number) => {
    const times: number[] = [];
    for (let t = fromMs; t < toMs; t += 50) times.push(t);
    return chunk(times, { [Channel.SessionTime]: times.map((t) => t / 1000), [Channel.Speed]: times.map(() => speed) });
  };
  const withGap = (): Ring => {
    const ring = new Ring(1000);
    ring.push(every(0, 2000, 100));
    ring.push(every(12_000, 13_000, 200));
    return ring;
  };

  it('knows its gaps until they are older than what it keeps', () => {
    const ring = withGap();
    expect(ring.gaps).toEqual([{ fromMs: 1950, toMs: 12_000, kind: 'missing' }]);
    ring.push(every(13_000, 60_950, 200));
    expect(ring.gaps).toHaveLength(1);
    ring.push(every(60_950, 63_050, 200));
    expect(ring.time(0)).toBeGreaterThan(12_000);
    expect(ring.gaps).toEqual([]);
  });

  it('fills a gap with what came late, and says so, without touching what is latest', () => {
    const ring = withGap();
    const late = every(0, 14_000, 150);
    const filled = ring.fill(late);
    expect(filled).toBe(200);
    expect(ring.gaps).toEqual([]);
    expect(ring.late).toEqual([{ fromMs: 2000, toMs: 11_950 }]);
    expect(ring.length).toBe(260);
    expect([ring.lastTime, ring.latest(Channel.Speed)]).toEqual([12_950, 200]);
    const speeds = [1950, 2000, 11_950, 12_000].map((t) => ring.value(Channel.Speed, indexAt(ring, t)));
    expect(speeds).toEqual([100, 150, 150, 200]);
    ring.push(every(13_000, 13_100, 201));
    expect(ring.latest(Channel.Speed)).toBe(201);
  });

  it('fills in parts, and what is still missing stays a gap', () => {
    const ring = withGap();
    expect(ring.fill(every(2000, 5000, 150))).toBe(60);
    expect(ring.gaps).toEqual([{ fromMs: 4950, toMs: 12_000, kind: 'missing' }]);
    expect(ring.fill(every(2000, 5000, 150))).toBe(0);
    expect(ring.fill(every(5000, 12_000, 150))).toBe(140);
    expect(ring.gaps).toEqual([]);
    expect(ring.late).toEqual([{ fromMs: 2000, toMs: 11_950 }]);
  });

  it('takes channels that it had not yet, and keeps within its memory', () => {
    const ring = new Ring(60);
    ring.push(every(0, 2000, 100));
    ring.push(every(12_000, 13_000, 200));
    ring.fill(chunk([3000, 3050], { [Channel.Fuel]: [40, 39] }));
    expect(ring.length).toBe(60);
    expect(ring.value(Channel.Fuel, indexAt(ring, 3050))).toBe(39);
    expect(ring.value(Channel.Fuel, indexAt(ring, 12_000))).toBeNaN();
    expect(ring.latest(Channel.Speed)).toBe(200);
  });

  it('is empty of gaps after clear', () => {
    const ring = withGap();
    ring.fill(every(2000, 5000, 150));
    ring.clear();
    expect([ring.gaps, ring.late]).toEqual([[], []]);
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
