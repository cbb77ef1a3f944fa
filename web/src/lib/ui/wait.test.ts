import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Wait } from './wait.svelte.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('counts down by the clock, and ends once', () => {
  const wait = new Wait();
  let ended = 0;
  wait.begin(3, () => (ended += 1));
  expect(wait.leftS).toBe(3);
  vi.advanceTimersByTime(1500);
  expect(wait.leftS).toBe(2);
  vi.advanceTimersByTime(10_000);
  expect([wait.leftS, ended]).toEqual([0, 1]);
});

it('begins anew, and forgets what it waited for before', () => {
  const wait = new Wait();
  wait.begin(1, () => expect.unreachable());
  wait.begin(60);
  vi.advanceTimersByTime(30_000);
  expect(wait.leftS).toBe(30);
});
