import { expect, it } from 'vitest';
import { bestsOf, classBest, compareOf, markOf, lapsBetween } from './marks.ts';

const lap = (
  time_ms: number | null,
  sectors_ms: [number | null, number | null, number | null],
  valid: boolean | null,
) => ({
  time_ms,
  sectors_ms,
  valid,
});

it('finds the best lap and the best of each sector; laps that do not count are left out', () => {
  const bests = bestsOf([
    lap(125_000, [30_000, 50_000, 45_000], true),
    lap(124_000, [31_000, 49_000, 44_000], null),
    lap(120_000, [29_000, 48_000, 43_000], false),
    lap(null, [null, 48_500, null], true),
  ]);
  expect(bests).toEqual({ lapMs: 124_000, sectorsMs: [30_000, 48_500, 44_000] });
});

it('no laps have no best', () => {
  expect(bestsOf([])).toEqual({ lapMs: null, sectorsMs: [null, null, null] });
  expect(classBest([{ class: 'GT3', best: null }], 'GT3')).toBeNull();
});

it('marks the best of the class before the own best, and slower laps not at all', () => {
  const ofClass = classBest(
    [
      { class: 'Hyper', best: 120_000 },
      { class: 'GT3', best: 140_000 },
      { class: 'GT3', best: 141_000 },
    ],
    'GT3',
  );
  expect(ofClass).toBe(140_000);
  expect(markOf(140_000, true, 140_000, ofClass)).toBe('class');
  expect(markOf(141_000, true, 141_000, ofClass)).toBe('own');
  expect(markOf(142_000, true, 141_000, ofClass)).toBeNull();
  expect(markOf(141_000, false, 141_000, ofClass)).toBeNull();
  expect(markOf(null, true, 141_000, ofClass)).toBeNull();
  expect(markOf(141_000, true, 141_000, null)).toBe('own');
});

it('says of a single time that it is slower than the own best, where there is one', () => {
  expect([141_000, 142_000, null].map((time) => compareOf(time, 141_000, 140_000))).toEqual(['own', 'slower', null]);
  expect(compareOf(141_000, null, null)).toBeNull();
});

it('says which laps are missing between two', () => {
  expect(lapsBetween(5, 4)).toBeNull();
  expect(lapsBetween(6, 4)).toBe('lap 5: no data');
  expect(lapsBetween(16, 11)).toBe('laps 12–15: no data');
  expect([lapsBetween(undefined, 4), lapsBetween(4, undefined)]).toEqual([null, null]);
});
