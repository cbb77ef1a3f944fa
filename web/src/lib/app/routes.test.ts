import { expect, it } from 'vitest';
import { paths, returnPath, routeOf } from './routes.ts';

it.each([
  ['/', { page: 'home' }],
  ['/login', { page: 'login' }],
  ['/teams/t', { page: 'team', team: 't' }],
  ['/teams/t/', { page: 'team', team: 't' }],
  ['/teams/t/start', { page: 'start', team: 't' }],
  ['/teams/t/sessions', { page: 'sessions', team: 't' }],
  ['/teams/t/sessions/s', { page: 'session', team: 't', session: 's' }],
  ['/teams/t/sessions/s/x', { page: 'unknown' }],
  ['/live/r', { page: 'live', rig: 'r' }],
  ['/live', { page: 'unknown' }],
  ['/teams', { page: 'unknown' }],
  ['/elsewhere', { page: 'unknown' }],
])('%s', (path, route) => expect(routeOf(path)).toEqual(route));

it('leads back only to pages of the app', () => {
  const back = (next: string) => returnPath(new URL(paths.login(next), 'http://app').search);
  expect(back('/live/r?x=1')).toBe('/live/r?x=1');
  for (const bad of ['https://evil.example', '//evil.example', '/\\evil.example', '/login', '/signup?next=/x', '']) {
    expect(back(bad)).toBe('/');
  }
  expect(returnPath('')).toBe('/');
});
