/**
 * What a rig is doing, and what a dashboard says about the data that it shows: pure functions of what is known.
 *
 * Times are milliseconds; `nowMs` is by the service's clock, as are the times in a `RigState`.
 */
import type { EndReason, GameState, RigState } from '../protocol.gen.ts';

/** Samples come at 2 Hz or more; after this long without one, what is shown is old. */
export const STALE_MS = 3000;

/** A rig that moves to another instance is away for less than this. */
const MOVES_MS = 1000;

export type LinkState = 'connecting' | 'open' | 'reconnecting' | 'stopped';

export type Condition =
  /** The connection to the service is being made for the first time. */
  | { kind: 'connecting' }
  /** It was lost and is being made again; what is shown, if anything, is so old. */
  | { kind: 'reconnecting'; ageMs: number | null }
  /** The service will not have us back; the page must be loaded again. */
  | { kind: 'stopped' }
  /** There is no such rig. */
  | { kind: 'no_rig' }
  /** Its agent was never connected. */
  | { kind: 'never' }
  /** Its agent is not connected. */
  | { kind: 'offline'; sinceMs: number | null }
  | { kind: 'no_game' }
  | { kind: 'menu' }
  | { kind: 'garage' }
  | { kind: 'paused' }
  | { kind: 'replay' }
  | { kind: 'spectating' }
  /** All is well; where `slowHz` is there, our own connection carries only so many updates a second. */
  | { kind: 'live'; slowHz?: number }
  /** On track as far as is known, but no samples come. */
  | { kind: 'stale'; ageMs: number; why: 'no_game' | 'offline' | 'silent' }
  /** The session that is shown is over. */
  | { kind: 'over'; reason: EndReason | null };

export type ConditionKind = Condition['kind'];
/** How it is painted: a sign and a colour. */
export type Tone = 'ok' | 'warn' | 'bad' | 'idle';

const IN_GAME: Record<Exclude<GameState, 'not_running' | 'on_track'>, Condition> = {
  menu: { kind: 'menu' },
  garage: { kind: 'garage' },
  paused: { kind: 'paused' },
  replay: { kind: 'replay' },
  spectating: { kind: 'spectating' },
};

/** What the connection to the service says about everything that came over it; `null` where nothing is in the way. */
export function linkCondition(link: LinkState, ageMs: number | null = null): Condition | null {
  if (link === 'stopped') return { kind: 'stopped' };
  return link === 'reconnecting' ? { kind: 'reconnecting', ageMs } : null;
}

/**
 * What a rig is doing, for lists. A service that was restarted no longer knows since when a rig is away; `wasUsed` says
 * from the rig's tokens whether it was ever here.
 */
export function rigCondition(rig: RigState, nowMs: number, wasUsed = false): Condition {
  if (!rig.connected) {
    return rig.since_ms === null && rig.last_sample_ms === null && !wasUsed
      ? { kind: 'never' }
      : { kind: 'offline', sinceMs: rig.since_ms };
  }
  if (rig.state === 'not_running') return { kind: 'no_game' };
  if (rig.state !== 'on_track') return IN_GAME[rig.state];
  if (rig.last_sample_ms === null)
    return { kind: 'stale', ageMs: Math.max(0, nowMs - (rig.since_ms ?? nowMs)), why: 'silent' };
  const ageMs = Math.max(0, nowMs - rig.last_sample_ms);
  return ageMs > STALE_MS ? { kind: 'stale', ageMs, why: 'silent' } : { kind: 'live' };
}

export interface DashboardFacts {
  link: LinkState;
  /** The rig; `undefined` while the service has not told, `null` where there is none. */
  rig: RigState | null | undefined;
  /** Age of the last sample of the session shown, by our own clock; `null` where none came. */
  ageMs: number | null;
  /** Whether the session shown is over. */
  ended: boolean;
  endReason: EndReason | null;
  /** So many updates a second are all that our connection carries; `null` where it carries what was asked for. */
  slowHz?: number | null;
}

/** What the dashboard says about what it shows. */
export function dashboardCondition(facts: DashboardFacts, nowMs: number): Condition {
  const { link, rig, ageMs, ended } = facts;
  const cut = linkCondition(link, ageMs);
  if (cut !== null) return cut;
  if (link === 'connecting' || rig === undefined) return { kind: 'connecting' };
  if (rig === null) return { kind: 'no_rig' };
  if (ended && rig.state !== 'menu') return { kind: 'over', reason: facts.endReason };
  const fresh = ageMs !== null && ageMs <= STALE_MS;
  if (!rig.connected) {
    if (rig.state === 'on_track' && ageMs !== null && ageMs <= MOVES_MS) return { kind: 'live' };
    const condition = rigCondition(rig, nowMs);
    return condition.kind === 'never' || ageMs === null ? condition : { kind: 'stale', ageMs, why: 'offline' };
  }
  switch (rig.state) {
    case 'not_running':
      return ageMs === null ? { kind: 'no_game' } : { kind: 'stale', ageMs, why: 'no_game' };
    case 'on_track':
      if (fresh) return facts.slowHz == null ? { kind: 'live' } : { kind: 'live', slowHz: facts.slowHz };
      return ageMs === null ? rigCondition(rig, nowMs) : { kind: 'stale', ageMs, why: 'silent' };
    default:
      return IN_GAME[rig.state];
  }
}

export function tone(condition: Condition): Tone {
  switch (condition.kind) {
    case 'live':
      return condition.slowHz === undefined ? 'ok' : 'warn';
    case 'stale':
    case 'reconnecting':
      return 'warn';
    case 'stopped':
    case 'no_rig':
      return 'bad';
    default:
      return 'idle';
  }
}
