import { expect, it } from 'vitest';
import { GAP_MS, gapBetween, joined } from './stretch.ts';

it('thinned samples have no hole between them, missing ones have', () => {
  expect(gapBetween(0, 1100, 0, 1.1)).toBeNull();
  expect(gapBetween(0, GAP_MS, 0, 1.5)).toBeNull();
  expect(gapBetween(0, GAP_MS + 1, 0, 1.5)).toEqual({ fromMs: 0, toMs: GAP_MS + 1, kind: 'missing' });
});

it('a session that stood still misses nothing', () => {
  expect(gapBetween(0, 60_000, 100, 100.05)?.kind).toBe('paused');
  expect(gapBetween(0, 60_000, 100, 160)?.kind).toBe('missing');
  expect(gapBetween(0, 60_000, NaN, 160)?.kind).toBe('missing');
  // The session began anew.
  expect(gapBetween(0, 60_000, 500, 2)?.kind).toBe('missing');
});

it('joins stretches that follow each other and keeps the others apart', () => {
  const some = [
    { fromMs: 0, toMs: 1000 },
    { fromMs: 2000, toMs: 3000 },
    { fromMs: 50_000, toMs: 60_000 },
  ];
  expect(joined(some, { fromMs: 1050, toMs: 1950 })).toEqual([{ fromMs: 0, toMs: 3000 }, some[2]]);
  expect(joined(some, { fromMs: 20_000, toMs: 30_000 })).toHaveLength(4);
});
