/** What API keys may read, in words, and how a tool uses one. */
import type { ApiKeyScope } from '../../api/types.ts';
import { type TeamId, VIEWER_SUBPROTOCOL } from '../../protocol.gen.ts';

export const SCOPES: readonly { scope: ApiKeyScope; name: string; what: string }[] = [
  { scope: 'read_live', name: 'Live', what: 'what rigs and cars do right now, over the live socket' },
  { scope: 'read_history', name: 'History', what: 'recorded sessions, laps, stints and traces' },
  { scope: 'read_setups', name: 'Setups', what: 'setups, live and recorded: what teams hide from each other' },
];

/** `Live, History` */
export const scopeNames = (scopes: readonly ApiKeyScope[]): string =>
  SCOPES.filter(({ scope }) => scopes.includes(scope))
    .map(({ name }) => name)
    .join(', ');

/** How a tool uses a key. It is in none of the commands, and so neither in a shell's history nor in an address. */
export interface Example {
  /** Takes the key without showing it. */
  store: string;
  /** Lists the sessions; none where the key may not. */
  ask: string | null;
  /** Where live data comes from; none where the key may not. */
  socket: string | null;
  subprotocol: string;
}

export function example(origin: string, team: TeamId, scopes: readonly ApiKeyScope[]): Example {
  const ask = `curl -H "Authorization: Bearer $ONELAP_KEY" ${origin}/api/teams/${team}/sessions`;
  return {
    store: 'read -rs ONELAP_KEY',
    ask: scopes.includes('read_history') ? ask : null,
    socket: scopes.includes('read_live') ? `${origin.replace(/^http/, 'ws')}/api/live/ws` : null,
    subprotocol: VIEWER_SUBPROTOCOL,
  };
}
