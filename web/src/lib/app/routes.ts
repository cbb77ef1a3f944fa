/** Which page an address names. */

export type Route =
  | { page: 'home' }
  | { page: 'login' }
  | { page: 'signup' }
  | { page: 'team'; team: string }
  | { page: 'start'; team: string }
  | { page: 'sessions'; team: string }
  | { page: 'session'; team: string; session: string }
  | { page: 'live'; rig: string }
  | { page: 'unknown' };

export function routeOf(path: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  const [first, second, third, fourth] = parts;
  if (first === undefined) return { page: 'home' };
  if (parts.length === 1 && first === 'login') return { page: 'login' };
  if (parts.length === 1 && first === 'signup') return { page: 'signup' };
  if (parts.length === 2 && first === 'live' && second !== undefined) return { page: 'live', rig: second };
  if (first !== 'teams' || second === undefined) return { page: 'unknown' };
  if (parts.length === 2) return { page: 'team', team: second };
  if (parts.length === 3 && third === 'start') return { page: 'start', team: second };
  if (third !== 'sessions') return { page: 'unknown' };
  if (parts.length === 3) return { page: 'sessions', team: second };
  return parts.length === 4 && fourth !== undefined
    ? { page: 'session', team: second, session: fourth }
    : { page: 'unknown' };
}

/** Where to go after logging in: a path of this app and nothing else. */
export function returnPath(search: string): string {
  const next = new URLSearchParams(search).get('next');
  if (next === null || !next.startsWith('/') || next.startsWith('//') || next.includes('\\')) return '/';
  return ['login', 'signup'].includes(routeOf(new URL(next, 'http://app').pathname).page) ? '/' : next;
}

export const paths = {
  home: () => '/',
  login: (next?: string) => (next === undefined || next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`),
  signup: () => '/signup',
  team: (team: string) => `/teams/${team}`,
  start: (team: string, rig?: string) => `/teams/${team}/start${rig === undefined ? '' : `?rig=${rig}`}`,
  sessions: (team: string) => `/teams/${team}/sessions`,
  session: (team: string, session: string) => `/teams/${team}/sessions/${session}`,
  live: (rig: string) => `/live/${rig}`,
};
