/** A share link that is being put together: what can be chosen, and what is sent to the service. Pure functions. */
import type { NewShare, Rig, SessionSummary, ShareKind } from '../../api/types.ts';
import { sessionKind, when } from '../../format.ts';

export const MAX_DELAY_S = 600;

/** Hours that a link can be open, and what that is called. */
export const LIVES: readonly (readonly [hours: string, called: string])[] = [
  ['1', '1 hour'],
  ['6', '6 hours'],
  ['24', '24 hours'],
  ['72', '3 days'],
  ['168', '7 days'],
  ['720', '30 days'],
  ['8760', '1 year'],
];

/** Something that a link can show. */
export interface Choice {
  key: string;
  kind: ShareKind;
  /** The session's or the rig's; absent for the team. */
  id: string | null;
  /** In the list of what there is. */
  label: string;
  /** What the link's page is called, until somebody says otherwise. */
  name: string;
  /** There is nothing live in it any more. */
  isOver: boolean;
}

export interface Draft {
  name: string;
  /** `null` while nobody has chosen. */
  showsHistory: boolean | null;
  showsSetup: boolean;
  delayS: string;
  /** `null` where none is asked for. */
  password: string | null;
  hours: string;
}

export const keyOf = (kind: ShareKind, id: string | null): string => (id === null ? kind : `${kind} ${id}`);

export function ofSession(
  session: Pick<SessionSummary, 'id' | 'track' | 'kind' | 'kind_number' | 'started_at' | 'ended_at'>,
): Choice {
  const name = `${session.track}, ${sessionKind(session.kind, session.kind_number)}`;
  return {
    key: keyOf('session', session.id),
    kind: 'session',
    id: session.id,
    label: `Session: ${name}, ${when(session.started_at)}`,
    name,
    isOver: session.ended_at !== null,
  };
}

/** Everything that can be shared, the widest last. */
export function choicesOf(
  rigs: readonly Pick<Rig, 'id' | 'name'>[],
  sessions: readonly SessionSummary[],
  team: string,
): Choice[] {
  return [
    ...rigs.map(({ id, name }): Choice => ({
      key: keyOf('rig', id),
      kind: 'rig',
      id,
      label: `Live view of ${name}`,
      name,
      isOver: false,
    })),
    { key: 'team', kind: 'team', id: null, label: 'Live view of the whole team', name: team, isOver: false },
    ...sessions.map(ofSession),
  ];
}

/** Whether what is recorded is shown, too: of a session it is, as long as nobody says otherwise. */
export function showsHistory(choice: Choice, { showsHistory }: Pick<Draft, 'showsHistory'>): boolean {
  return choice.isOver || (showsHistory ?? choice.kind === 'session');
}

/** What is wrong with the delay, if anything. */
export function wrongDelay(text: string): string | null {
  const isWhole = /^\d+$/.test(text.trim());
  return isWhole && Number(text) <= MAX_DELAY_S ? null : `This is a number of seconds from 0 to ${MAX_DELAY_S}.`;
}

export function requestOf(choice: Choice, draft: Draft): NewShare {
  return {
    name: draft.name.trim(),
    kind: choice.kind,
    session: choice.kind === 'session' ? choice.id : null,
    rig: choice.kind === 'rig' ? choice.id : null,
    shows_history: showsHistory(choice, draft),
    shows_setup: draft.showsSetup,
    // What is over is not late any more.
    delay_s: choice.isOver ? 0 : Number(draft.delayS),
    expires_in_h: Number(draft.hours),
    password: draft.password,
  };
}
