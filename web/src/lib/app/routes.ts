/** Which page an address names. */
import type { Action } from '../api/types.ts';

/** Pages that are there once. */
const PLAIN = {
  '': 'home',
  login: 'login',
  signup: 'signup',
  'signup/finish': 'signup_finish',
  reset: 'reset',
  'confirm-email': 'confirm_email',
  account: 'account',
  join: 'join',
  pair: 'pair',
  shared: 'shared',
  'teams/new': 'new_team',
} as const;

/** Pages of a team, below `/teams/:t`. */
const OF_TEAM = {
  '': 'team',
  start: 'start',
  sessions: 'sessions',
  settings: 'team_settings',
  audit: 'team_audit',
  keys: 'team_keys',
  shares: 'shares',
} as const;

type PlainPage = (typeof PLAIN)[keyof typeof PLAIN];
type TeamPage = (typeof OF_TEAM)[keyof typeof OF_TEAM];

export type Route =
  | { page: PlainPage }
  | { page: TeamPage; team: string }
  | { page: 'session'; team: string; session: string }
  | { page: 'live'; rig: string }
  | { page: 'unknown' };
export type Page = Route['page'];

function named<Pages extends object>(pages: Pages, name: string): Pages[keyof Pages] | undefined {
  return Object.hasOwn(pages, name) ? pages[name as keyof Pages] : undefined;
}

export function routeOf(path: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  const plain = named(PLAIN, parts.join('/'));
  if (plain !== undefined) return { page: plain };
  const [first, second, third, fourth] = parts;
  if (second === undefined) return { page: 'unknown' };
  if (first === 'live' && parts.length === 2) return { page: 'live', rig: second };
  if (first !== 'teams') return { page: 'unknown' };
  if (third === 'sessions' && fourth !== undefined && parts.length === 4) {
    return { page: 'session', team: second, session: fourth };
  }
  const ofTeam = parts.length <= 3 ? named(OF_TEAM, third ?? '') : undefined;
  return ofTeam === undefined ? { page: 'unknown' } : { page: ofTeam, team: second };
}

/** Pages that need no log-in: they are shown to whoever comes, logged in or not. */
const PUBLIC: ReadonlySet<Page> = new Set<Page>([
  'login',
  'signup',
  'signup_finish',
  'reset',
  'confirm_email',
  'join',
  'shared',
]);
export const isPublic = (page: Page): boolean => PUBLIC.has(page);

/** Pages that letters and links lead to with a secret behind the `#`. */
const WITH_SECRET: ReadonlySet<Page> = new Set<Page>([
  'signup_finish',
  'reset',
  'confirm_email',
  'join',
  'shared',
  'pair',
]);
export const hasSecret = (page: Page): boolean => WITH_SECRET.has(page);

/** What a page of a team is for; who may not do that is told so. */
export const PAGE_ACTIONS: Partial<Record<Page, Action>> = {
  team_audit: 'see_audit',
  team_keys: 'manage_api_keys',
  shares: 'manage_shares',
};

/** Where nobody is sent back to after logging in. */
const NOT_AFTER_LOGIN: ReadonlySet<Page> = new Set<Page>(['login', 'signup', 'signup_finish', 'reset', 'unknown']);

/** Where to go after logging in: a path of this app and nothing else. */
export function returnPath(search: string): string {
  const next = new URLSearchParams(search).get('next');
  if (next === null || !next.startsWith('/') || next.startsWith('//') || next.includes('\\')) return '/';
  return NOT_AFTER_LOGIN.has(routeOf(new URL(next, 'http://app').pathname).page) ? '/' : next;
}

const withNext = (path: string, next?: string) =>
  next === undefined || next === '/' ? path : `${path}?next=${encodeURIComponent(next)}`;

export const paths = {
  home: () => '/',
  login: (next?: string) => withNext('/login', next),
  signup: (next?: string) => withNext('/signup', next),
  reset: () => '/reset',
  account: () => '/account',
  join: () => '/join',
  pair: (of?: { team: string; rig: string | null }) =>
    of === undefined ? '/pair' : `/pair?team=${of.team}${of.rig === null ? '' : `&rig=${of.rig}`}`,
  newTeam: () => '/teams/new',
  team: (team: string) => `/teams/${team}`,
  start: (team: string, rig?: string) => `/teams/${team}/start${rig === undefined ? '' : `?rig=${rig}`}`,
  sessions: (team: string) => `/teams/${team}/sessions`,
  session: (team: string, session: string) => `/teams/${team}/sessions/${session}`,
  teamSettings: (team: string) => `/teams/${team}/settings`,
  teamAudit: (team: string) => `/teams/${team}/audit`,
  teamKeys: (team: string) => `/teams/${team}/keys`,
  shares: (team: string) => `/teams/${team}/shares`,
  live: (rig: string) => `/live/${rig}`,
};
