/** What a condition is called. */
import { END_REASONS, age, when } from '../../format.ts';
import { type Condition, type Tone, tone } from '../../live/condition.ts';

export interface Words {
  label: string;
  /** What it means or what to do; empty where the label says it all. */
  detail: string;
  tone: Tone;
}

const BECAUSE = {
  no_game: 'rig connected, game not running',
  offline: 'rig not connected',
  silent: 'rig connected, no samples come',
} as const;

export function words(condition: Condition): Words {
  return { ...texts(condition), tone: tone(condition) };
}

/** The same for somebody with a share link: what the team would have to do is not theirs to know. */
export function guestWords(condition: Condition): Words {
  const said = words(condition);
  switch (condition.kind) {
    case 'never':
    case 'offline':
    case 'no_game':
    case 'menu':
      return { ...said, label: 'Not on track', detail: '' };
    case 'no_rig':
      return { ...said, label: 'Not shown any more', detail: '' };
    case 'stale':
      return { ...said, detail: 'no data comes from the car' };
    case 'garage':
    case 'paused':
    case 'replay':
    case 'spectating':
      return { ...said, detail: '' };
    default:
      return said;
  }
}

function texts(condition: Condition): Omit<Words, 'tone'> {
  switch (condition.kind) {
    case 'connecting':
      return { label: 'Connecting …', detail: '' };
    case 'reconnecting':
      return {
        label: 'Reconnecting …',
        detail:
          condition.ageMs === null
            ? 'the service cannot be reached'
            : `service not reachable, data ${age(condition.ageMs)} old`,
      };
    case 'stopped':
      return { label: 'Disconnected', detail: 'load the page again' };
    case 'no_rig':
      return { label: 'No rig', detail: 'it was deleted, or this address is wrong' };
    case 'never':
      return { label: 'Never connected', detail: 'start the agent on the driver’s PC' };
    case 'offline':
      return {
        label: 'Not connected',
        detail: condition.sinceMs === null ? 'start the agent on the driver’s PC' : `since ${when(condition.sinceMs)}`,
      };
    case 'no_game':
      return { label: 'Game not running', detail: 'rig connected' };
    case 'menu':
      return { label: 'Game in menu', detail: 'rig connected' };
    case 'garage':
      return { label: 'In the garage', detail: 'rig connected' };
    case 'paused':
      return { label: 'Paused', detail: 'rig connected' };
    case 'replay':
      return { label: 'Replay', detail: 'the driver watches a replay' };
    case 'spectating':
      return { label: 'Spectating', detail: 'the driver watches another car' };
    case 'live':
      return { label: 'Live', detail: condition.slowHz === undefined ? '' : slow(condition.slowHz) };
    case 'stale':
      return { label: `Stale since ${age(condition.ageMs)}`, detail: BECAUSE[condition.why] };
    case 'over':
      return { label: 'Session over', detail: condition.reason === null ? '' : END_REASONS[condition.reason] };
  }
}

function slow(hz: number): string {
  return `your connection is slow: ${hz === 1 ? 'one update' : `${hz} updates`} a second`;
}
