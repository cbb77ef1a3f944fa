import { expect, it } from 'vitest';
import { hasSecret, isPublic, paths, returnPath, routeOf } from './routes.ts';

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
  ['/signup/finish', { page: 'signup_finish' }],
  ['/signup/other', { page: 'unknown' }],
  ['/confirm-email', { page: 'confirm_email' }],
  ['/account/', { page: 'account' }],
  ['/teams/new', { page: 'new_team' }],
  ['/teams/t/settings', { page: 'team_settings', team: 't' }],
  ['/teams/t/audit', { page: 'team_audit', team: 't' }],
  ['/teams/t/keys', { page: 'team_keys', team: 't' }],
  ['/teams/t/shares', { page: 'shares', team: 't' }],
  ['/teams/t/shares/x', { page: 'unknown' }],
  ['/teams/t/toString', { page: 'unknown' }],
  ['/toString', { page: 'unknown' }],
  ['/teams', { page: 'unknown' }],
  ['/elsewhere', { page: 'unknown' }],
])('%s', (path, route) => expect(routeOf(path)).toEqual(route));

it('leads back only to pages of the app', () => {
  const back = (next: string) => returnPath(new URL(paths.login(next), 'http://app').search);
  expect(back('/live/r?x=1')).toBe('/live/r?x=1');
  expect(back('/join')).toBe('/join');
  for (const bad of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/login',
    '/signup?next=/x',
    '/reset',
    '',
  ]) {
    expect(back(bad)).toBe('/');
  }
  expect(returnPath('')).toBe('/');
});

it('knows the pages that need no log-in, and those that a link leads to with a secret', () => {
  expect(
    ['/login', '/reset', '/shared', '/join', '/account', '/pair', '/'].map((path) => isPublic(routeOf(path).page)),
  ).toEqual([true, true, true, true, false, false, false]);
  expect(['/join', '/reset', '/login', '/teams/t'].map((path) => hasSecret(routeOf(path).page))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
