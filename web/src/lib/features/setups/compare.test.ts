import { expect, it } from 'vitest';
import type { Setup, SetupItem } from '../../protocol.gen.ts';
import { groupSetup, sameSetup } from './compare.ts';

const item = (key: string, text: string, over: Partial<SetupItem> = {}): SetupItem => ({
  key,
  area: 'brakes',
  label: key,
  text,
  ...over,
});
const pressures = (fl: string): SetupItem[] => [
  item('P_FL', fl, { area: 'tyres', label: 'Pressure', corner: 'fl' }),
  item('P_FR', '148 kPa', { area: 'tyres', label: 'Pressure', corner: 'fr' }),
];
const setup = (...items: SetupItem[]): Setup => ({ items });

it('groups by area and puts the corners of a setting in one row', () => {
  const groups = groupSetup(setup(item('BIAS', '55:45'), ...pressures('150 kPa')), null);
  expect(groups.map((g) => [g.area, g.rows.length, g.changes])).toEqual([
    ['brakes', 1, 0],
    ['tyres', 1, 0],
  ]);
  expect(groups[1]?.rows[0]?.corners).toEqual({
    fl: { text: '150 kPa', before: null },
    fr: { text: '148 kPa', before: null },
  });
});

it('marks what changed, and what is new', () => {
  const before = setup(item('BIAS', '55:45'), ...pressures('150 kPa'));
  const after = setup(item('BIAS', '56:44'), item('DUCT', '2'), ...pressures('151 kPa'));
  const [brakes, tyres] = groupSetup(after, before);
  expect(brakes?.rows.map((r) => r.single)).toEqual([
    { text: '56:44', before: '55:45' },
    { text: '2', before: '—' },
  ]);
  expect([brakes?.changes, tyres?.changes]).toEqual([2, 1]);
  expect(tyres?.rows[0]?.corners.fl?.before).toBe('150 kPa');
  expect(tyres?.rows[0]?.corners.fr?.before).toBeNull();
});

it('keeps settings of the same name apart', () => {
  const groups = groupSetup(setup(item('A', '1', { label: 'Map' }), item('B', '2', { label: 'Map' })), null);
  expect(groups[0]?.rows.map((r) => r.single?.text)).toEqual(['1', '2']);
});

it('the order of the items does not make another setup', () => {
  const [a, b] = [item('A', '1'), item('B', '2')];
  expect(sameSetup(setup(a, b), setup(b, a))).toBe(true);
  expect(sameSetup(setup(a, b), setup(a))).toBe(false);
  expect(sameSetup(setup(a), setup(item('A', '2')))).toBe(false);
});
