import { beforeEach, describe, expect, it } from 'vitest';
import { Channel } from '../protocol.gen.ts';
import { Backfill } from './backfill.ts';
import type { Batch } from './batch.ts';
import { Ring } from './ring.ts';

/** 20 Hz from one second to another. */
const seconds = (fromS: number, toS: number): Batch => {
  const times = Array.from({ length: (toS - fromS) * 20 }, (_, i) => fromS * 1000 + i * 50);
  return {
    opcode: 2,
    session: 's',
    epoch: 0,
    sequence: 0,
    times: Float64Array.from(times),
    channels: Uint16Array.of(Channel.SessionTime),
    values: Float64Array.from(times.map((t) => t / 1000)),
  };
};

let ring: Ring;
let asked: [number, number][];
let recorded: Batch | null;
let backfill: Backfill;
const WINDOW_MS = 300_000;
const run = async (fromMs: number, toMs: number) => {
  for (let now = fromMs; now <= toMs; now += 1000) await backfill.tick(now, WINDOW_MS);
};

beforeEach(() => {
  [ring, asked, recorded] = [new Ring(7200), [], null];
  backfill = new Backfill(ring, (fromS, toS) => {
    asked.push([Math.round(fromS), Math.round(toS)]);
    return Promise.resolve(recorded);
  });
  ring.push(seconds(0, 10));
  ring.push(seconds(50, 55));
});

describe('Backfill', () => {
  it('asks for a gap and no more when the service says that the stretch is recorded', async () => {
    await run(0, 1000);
    backfill.told(10, 30, 1000);
    recorded = seconds(0, 30);
    await run(1000, 2000);
    expect(asked).toEqual([[10, 50]]);
    expect(ring.gaps).toEqual([{ fromMs: 29_950, toMs: 50_000, kind: 'missing' }]);
    backfill.told(10, 60, 3000);
    recorded = seconds(0, 60);
    await run(3000, 5000);
    expect(ring.gaps).toEqual([]);
    expect(backfill.filled).toBe(800);
    const times = asked.length;
    await run(6000, 300_000);
    expect(asked).toHaveLength(times);
  });

  it('does not ask when another stretch was recorded', async () => {
    backfill.told(60, 90, 0);
    await run(0, 5000);
    expect(asked).toEqual([]);
  });

  it('asks by itself after a while for what only this page has missed, ever more rarely, and gives up', async () => {
    await run(0, 11_000);
    expect(asked).toEqual([]);
    await run(12_000, 13_000);
    expect(asked).toHaveLength(1);
    await run(14_000, 600_000);
    expect(asked).toHaveLength(4);
    backfill.told(10, 50, 600_000);
    await run(600_000, 602_000);
    expect(asked).toHaveLength(5);
  });

  it('asks now and then while it is told often', async () => {
    for (let now = 0; now < 10_000; now += 100) {
      backfill.told(10, 10 + now / 1000, now);
      await backfill.tick(now, WINDOW_MS);
    }
    expect(asked).toHaveLength(5);
  });

  it('leaves alone what is out of the window, and a game that was paused', async () => {
    ring.push(seconds(55, 360));
    backfill.told(10, 50, 0);
    await run(0, 60_000);
    expect(asked).toEqual([]);
    const paused = new Ring(100);
    const { times, channels } = seconds(0, 1);
    paused.push({ times, channels, values: new Float64Array(20).fill(5) });
    paused.push({ times: times.map((t) => t + 60_000), channels, values: new Float64Array(20).fill(5) });
    backfill = new Backfill(paused, (fromS, toS) => Promise.resolve((asked.push([fromS, toS]), null)));
    await run(0, 60_000);
    expect(asked).toEqual([]);
  });

  it('asks for the latest half hour of a longer gap, and for nothing where the time is not known', async () => {
    ring.push(seconds(4000, 4005));
    recorded = seconds(10, 50);
    backfill.told(3000, 4000, 0);
    await run(0, 2000);
    expect(asked).toEqual([[2200, 4000]]);
    const untold = new Ring(100);
    const [times, channels] = [Float64Array.of(0, 50, 60_000, 60_050), Uint16Array.of(Channel.Speed)];
    untold.push({ times, channels, values: new Float64Array(4).fill(200) });
    backfill = new Backfill(untold, (fromS, toS) => Promise.resolve((asked.push([fromS, toS]), null)));
    await run(0, 60_000);
    expect(asked).toHaveLength(1);
  });

  it('goes on after a request that failed', async () => {
    let fails = true;
    backfill = new Backfill(ring, (fromS, toS) => {
      asked.push([fromS, toS]);
      return fails ? Promise.reject(new Error('away')) : Promise.resolve(seconds(0, 60));
    });
    await run(0, 13_000);
    expect(asked).toHaveLength(1);
    fails = false;
    await run(14_000, 40_000);
    expect(ring.gaps).toEqual([]);
  });
});
