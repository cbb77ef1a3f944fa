/** What API keys may read, in words, and how a tool uses one. */
import type { ApiKeyScope } from '../../api/types.ts';
import type { TeamId } from '../../protocol.gen.ts';

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

/** Commands for a shell; the key is in none of them, and so neither in its history nor in an address. */
export interface Example {
  /** Takes the key without showing it. */
  store: string;
  /** Reads something that the key may read; none where it is for the socket only. */
  ask: string | null;
}

export function example(origin: string, team: TeamId, scopes: readonly ApiKeyScope[]): Example {
  const url = `${origin}/api/teams/${team}/sessions`;
  const mayAsk = scopes.includes('read_history');
  return {
    store: 'read -rs ONELAP_KEY',
    ask: mayAsk ? `curl -H "Authorization: Bearer $ONELAP_KEY" ${url}` : null,
  };
}
