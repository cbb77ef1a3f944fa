import { describe, expect, it } from 'vitest';
import * as f from './format.ts';

describe('what is not known', () => {
  it.each([null, undefined, NaN, Infinity])('%s is a dash everywhere', (value) => {
    const texts = [
      f.num(value),
      f.quantity(value, 'kPa'),
      f.lapTime(value),
      f.sectorTime(value),
      f.clock(value),
      f.gap(value, null),
      f.delta(value),
      f.gear(value),
      f.compound(value),
    ];
    expect(texts).toEqual(texts.map(() => '—'));
  });

  it('zero is a value', () => {
    expect([f.num(0, 1), f.quantity(0, 'L', 2), f.gear(0), f.compound(0)]).toEqual(['0.0', '0.00\u202fL', 'N', 'Soft']);
  });
});

describe('times', () => {
  it.each([
    [0, '0:00.000'],
    [59_999, '0:59.999'],
    [60_000, '1:00.000'],
    [125_007, '2:05.007'],
    [3_725_250, '62:05.250'],
  ])('a lap of %i ms is %s', (ms, text) => expect(f.lapTime(ms)).toBe(text));

  it('sectors have minutes only where there are any', () => {
    expect([f.sectorTime(31_204), f.sectorTime(9_004), f.sectorTime(60_000)]).toEqual(['31.204', '9.004', '1:00.000']);
  });

  it('clocks count whole seconds down to nothing', () => {
    expect([14_400, 3599.9, 61, 0, -3].map(f.clock)).toEqual(['4:00:00', '59:59', '1:01', '0:00', '0:00']);
  });

  it('ages are as coarse as they are long', () => {
    expect([900, 12_400, 119_000, 120_000, 7_200_000, 200_000_000].map(f.age)).toEqual([
      '0 s',
      '12 s',
      '119 s',
      '2 min',
      '2 h',
      '2 days',
    ]);
  });
});

describe('numbers', () => {
  it('a negative number that rounds to zero has no sign', () => {
    expect([f.num(-0.04, 1), f.num(-0.06, 1), f.delta(-0.0001), f.delta(-0.25), f.delta(0.25)]).toEqual([
      '0.0',
      '−0.1',
      '±0.000',
      '−0.250',
      '+0.250',
    ]);
  });

  it('gaps in laps come before gaps in seconds', () => {
    expect([f.gap(1.2344, null), f.gap(99, 1), f.gap(5, 0), f.gap(null, 2)]).toEqual([
      '+1.234',
      '+1L',
      '+5.000',
      '+2L',
    ]);
  });

  it('gears', () => expect([-1, 0, 1, 7].map(f.gear)).toEqual(['R', 'N', '1', '7']));
});

describe('classes', () => {
  it.each([
    ['Hyper', 'hypercar'],
    ['HYPERCAR', 'hypercar'],
    ['LMP2', 'lmp2'],
    ['LMP2_ELMS', 'lmp2-elms'],
    ['LMP3', 'lmp3'],
    ['LMGT3', 'lmgt3'],
    ['GT3', 'lmgt3'],
    ['GTE', 'gte'],
    ['Formula', 'other'],
    [null, 'other'],
  ])('%s is painted as %s', (name, token) => expect(f.classMark(name).token).toBe(token));

  it('every class has a name beside its colour', () => {
    expect(f.classMark('Formula').short).toBe('FORM');
    expect(f.classMark(null).short).toBe('—');
  });
});

it('session kinds carry their number', () => {
  expect([f.sessionKind('practice', 2), f.sessionKind('race', null), f.sessionKind('unknown', 1)]).toEqual([
    'Practice 2',
    'Race',
    'Session',
  ]);
});

it('names are cut to fit, and kept where there is nothing to cut', () => {
  expect(['Łukasz Wiśniewski', ' Émile de la Tour ', 'xX_Racer_Xx', ''].map(f.shortName)).toEqual([
    'Ł. Wiśniewski',
    'É. de la Tour',
    'xX_Racer_Xx',
    '',
  ]);
});

it('sizes, lengths of time and counts are rounded as people say them', () => {
  expect([0, 480_000, 3_140_000, 9_960_000, 41_200_000, 1_240_000_000].map(f.bytes)).toEqual([
    '0\u202fkB',
    '480\u202fkB',
    '3.1\u202fMB',
    '10\u202fMB',
    '41\u202fMB',
    '1.2\u202fGB',
  ]);
  expect([0, 14, 59, 60, 170, 5399, 7200].map(f.roughly)).toEqual([
    '10 s',
    '20 s',
    '60 s',
    '1 min',
    '3 min',
    '90 min',
    '2 h',
  ]);
  expect([7, 1000, 1_234_567].map(f.count)).toEqual(['7', '1\u202f000', '1\u202f234\u202f567']);
});

it('a stretch is told by the time of day at both ends', () => {
  const at = new Date(2026, 10, 20, 14, 3, 10).getTime();
  expect(f.timeSpan(at, at + 140_000)).toBe('14:03:10–14:05:30');
});

it('says a wait in words, never shorter than it is', () => {
  expect([1, 120, 121, 3540, 7201].map(f.waitWords)).toEqual(['1 s', '120 s', '3 min', '59 min', '3 h']);
});
