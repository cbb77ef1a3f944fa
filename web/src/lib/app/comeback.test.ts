import { expect, it } from 'vitest';
import { ApiError } from '../api/client.ts';
import { Comeback, wasAway } from './comeback.ts';

it('sees each coming back once', () => {
  const seen = new Comeback();
  const links = ['connecting', 'open', 'open', 'reconnecting', 'reconnecting', 'open', 'open', 'stopped'] as const;
  expect(links.map((link) => seen.see(link))).toEqual([false, true, false, false, false, true, false, false]);
  expect(new Comeback().see('open')).toBe(false);
});

it('tries again what failed because the service was away, and nothing else', () => {
  expect(wasAway(new ApiError(0, 'unreachable', ''))).toBe(true);
  expect(wasAway(new ApiError(503, 'unavailable', ''))).toBe(true);
  expect(wasAway(new ApiError(404, 'not_found', ''))).toBe(false);
  expect(wasAway(null)).toBe(false);
});
