/** What the page of a share link shows: pure functions of the link, the address and what is known of the rigs. */
import type { SharedView } from '../../api/types.ts';
import type { RigId, RigState, SessionId } from '../../protocol.gen.ts';

export type Shown =
  /** What is live is not known yet. */
  | { is: 'waiting' }
  /** The dashboard of a rig. */
  | { is: 'rig'; rig: RigId }
  /** There are several: which is to be seen? */
  | { is: 'rigs'; rigs: readonly RigState[] }
  /** The link's session is not running. */
  | { is: 'nothing' }
  | { is: 'sessions' }
  | { is: 'session'; session: SessionId };

/** Whether the link has both a live view and a record, so that one has to be chosen. */
export const hasBoth = (share: SharedView): boolean => share.shows_history;

/**
 * What to show. `rigs` are the link's, `undefined` while they were not told. A session that is over is looked at in the
 * record, where that is shown; one that runs, live, until something else is chosen.
 */
export function shownOf(share: SharedView, search: string, rigs: readonly RigState[] | undefined): Shown {
  const query = new URLSearchParams(search);
  const wants = share.shows_history ? query.get('show') : 'live';
  if (share.kind === 'session' && share.session !== null) {
    const running = rigs?.find((rig) => rig.session === share.session && rig.connected);
    if (wants === 'recorded') return { is: 'session', session: share.session };
    if (running !== undefined) return { is: 'rig', rig: running.rig };
    if (rigs === undefined) return { is: 'waiting' };
    return share.shows_history && wants === null ? { is: 'session', session: share.session } : { is: 'nothing' };
  }
  if (wants === 'recorded') {
    const session = query.get('session');
    return session === null ? { is: 'sessions' } : { is: 'session', session };
  }
  if (rigs === undefined) return { is: 'waiting' };
  const chosen = rigs.find((rig) => rig.rig === query.get('rig')) ?? (rigs.length === 1 ? rigs[0] : undefined);
  return chosen === undefined ? { is: 'rigs', rigs } : { is: 'rig', rig: chosen.rig };
}
