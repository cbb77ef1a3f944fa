import { expect, it } from 'vitest';
import { proposedName, shownCode } from './code.ts';

it.each([
  ['bcdfghjk', 'BCDF-GHJK'],
  [' BCDF-GHJK ', 'BCDF-GHJK'],
  ['bcdf ghjk', 'BCDF-GHJK'],
  ['bcdf', 'BCDF'],
  ['BCDF-GHJKL', 'BCDFGHJKL'],
  ['', ''],
])('"%s" is shown as "%s"', (text, shown) => expect(shownCode(text)).toBe(shown));

it('proposes a name that is free', () => {
  expect(proposedName('SIM-PC', ['RIG_A'])).toBe('SIM-PC');
  expect(proposedName('SIM-PC', ['sim-pc', 'SIM-PC 2'])).toBe('SIM-PC 3');
});
