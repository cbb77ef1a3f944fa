/**
 * Through whose eyes a page is shown: a member's, or those of somebody with a share link.
 *
 * What shows live or recorded data asks `viewer()` for the client, the rigs and the ways to other pages. The page of a link
 * puts its own in their place (`setViewer`), so that nothing below it needs an account.
 */
import { getContext, hasContext, setContext } from 'svelte';
import type { Client } from '../api/client.ts';
import type { Action, SharedView } from '../api/types.ts';
import type { Rigs } from '../features/rigs/rigs.svelte.ts';
import type { SessionId, TeamId } from '../protocol.gen.ts';
import { app } from './app.svelte.ts';
import { paths } from './routes.ts';

export interface Viewer {
  readonly api: Client;
  readonly rigs: Rigs;
  /** What the link shows; `null` for a member of the team. */
  readonly share: SharedView | null;
  can(team: TeamId, action: Action): boolean;
  /** Where recorded sessions are looked at; `null` where they are not shown. */
  sessions(team: TeamId): string | null;
  session(team: TeamId, session: SessionId): string | null;
}

const KEY = Symbol('viewer');

const member: Viewer = {
  api: app.api,
  rigs: app.rigs,
  share: null,
  can: (team, action) => app.can(team, action),
  sessions: (team) => paths.sessions(team),
  session: (team, session) => paths.session(team, session),
};

/** For a component's set-up. */
export function viewer(): Viewer {
  return hasContext(KEY) ? getContext<Viewer>(KEY) : member;
}

/** For a component's set-up: for everything that is shown in it. */
export function setViewer(other: Viewer): void {
  setContext(KEY, other);
}
