/** What share links are called, and what is said of them: pure functions. */
import type { Share, ShareKind, SharedView } from '../../api/types.ts';
import { when } from '../../format.ts';

/** A delay, as people say it: `30 s`, `5 min`, `1:30 min`. */
export function delayText(s: number): string {
  if (s < 60) return `${s} s`;
  const seconds = s % 60;
  return seconds === 0 ? `${s / 60} min` : `${Math.floor(s / 60)}:${String(seconds).padStart(2, '0')} min`;
}

export type ShareState = 'open' | 'revoked' | 'expired';

export function stateOf(share: Pick<Share, 'revoked_at' | 'expires_at'>, nowMs: number): ShareState {
  if (share.revoked_at !== null) return 'revoked';
  return Date.parse(share.expires_at) <= nowMs ? 'expired' : 'open';
}

/** How it ended, or will, and when. */
export function endOf(share: Share, nowMs: number): [how: string, at: string] {
  switch (stateOf(share, nowMs)) {
    case 'revoked':
      return ['Revoked', when(share.revoked_at)];
    case 'expired':
      return ['Expired', when(share.expires_at)];
    case 'open':
      return ['Open until', when(share.expires_at)];
  }
}

/** What of it is shown, and what is asked for: "live only, 30 s late, with a password". */
export function limitsText(share: Share): string {
  const of: string[] = [share.shows_history ? 'with recorded laps' : 'live only'];
  if (share.shows_setup) of.push('with setups');
  if (share.delay_s > 0) of.push(`${delayText(share.delay_s)} late`);
  if (share.has_password) of.push('with a password');
  return of.join(', ');
}

/** What it is of; the rig's name where it is known. */
export function kindText(kind: ShareKind, rigName: string | null): string {
  switch (kind) {
    case 'session':
      return 'one session';
    case 'rig':
      return rigName === null ? 'a rig' : `rig ${rigName}`;
    case 'team':
      return 'the whole team';
  }
}

export interface Over {
  title: string;
  text: string;
}

/** Why a link that was open shows nothing any more. */
export function overWords(share: SharedView, isExpired: boolean): Over {
  return isExpired
    ? {
        title: 'This link has expired',
        text: `It was open until ${when(share.expires_at)}. Ask ${share.team_name} for another one.`,
      }
    : { title: 'This link was revoked', text: `${share.team_name} has ended it. Ask the team for another one.` };
}
