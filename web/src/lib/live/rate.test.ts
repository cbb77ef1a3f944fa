import { expect, it } from 'vitest';
import { FULL_HZ, choiceOf, rateOf } from './rate.ts';

it('asks for less on a narrow screen or where data is saved, unless a person has chosen', () => {
  expect(rateOf('auto', { narrow: false, saves: false })).toBe(FULL_HZ);
  expect(rateOf('auto', { narrow: true, saves: false })).toBe(5);
  expect(rateOf('auto', { narrow: false, saves: true })).toBe(5);
  expect(rateOf('20', { narrow: true, saves: true })).toBe(20);
  expect(rateOf('2', { narrow: false, saves: false })).toBe(2);
});

it('takes a stored choice that it does not know for none', () => {
  expect([choiceOf('5'), choiceOf('999'), choiceOf(null)]).toEqual(['5', 'auto', 'auto']);
});
