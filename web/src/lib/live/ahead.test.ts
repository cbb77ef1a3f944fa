import { expect, it } from 'vitest';
import { Ahead } from './ahead.ts';

const of = (rig: string, session: string) => ({ rig, session });

it('begins with the only rig, and lets choose among several', () => {
  expect(new Ahead().take([of('a', 's')], null, 20)).toEqual(['s']);
  expect(new Ahead().take([of('a', 's'), of('b', 'u')], null, 20)).toEqual([]);
});

it('goes on with the rig that is shown, once, however many sessions come before they are shown', () => {
  const ahead = new Ahead();
  ahead.take([of('a', 's')], null, 20);
  expect(ahead.show('s')).toBe(20);
  expect(ahead.show('s')).toBeNull();
  expect(ahead.take([of('b', 'u')], 's', 20)).toEqual([]);
  expect(ahead.take([of('a', 's')], 's', 20)).toEqual([]);
  expect(ahead.take([of('a', 'next')], 's', 20)).toEqual(['next']);
  expect(ahead.take([of('a', 'next')], 's', 20)).toEqual([]);
  expect(ahead.take([of('a', 'after')], 's', 5)).toEqual(['after']);
  expect([ahead.show('next'), ahead.show('after')]).toEqual([20, 5]);
});

it('asks again for what was refused, and for no more than a few', () => {
  const ahead = new Ahead();
  ahead.take([of('a', 's')], null, 20);
  ahead.refuse('s');
  expect(ahead.show('s')).toBeNull();
  const many = [1, 2, 3, 4, 5, 6].flatMap((n) => ahead.take([of('a', `n${n}`)], 's', 20));
  expect(many).toEqual(['n1', 'n2', 'n3', 'n4']);
  ahead.forget();
  expect(ahead.show('n1')).toBeNull();
});
