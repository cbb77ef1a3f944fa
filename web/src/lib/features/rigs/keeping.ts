/**
 * What a rig keeps until it is recorded, in words: pure functions of what it said last.
 *
 * Quiet while everything is as it should be. While a car is driven there always is something on its way: the service
 * records in steps of ten seconds, so that up to half a minute waits without anything being wrong.
 */
import { age, bytes, count, roughly } from '../../format.ts';
import type { RigState } from '../../protocol.gen.ts';
import type { Tone } from '../../live/condition.ts';

export type Keeping =
  /** The agent has not said yet. */
  | { kind: 'unknown' }
  /** Everything is recorded, but for what is on its way. */
  | { kind: 'recorded'; ackAgeMs: number | null; driving: boolean }
  /** What was kept during a break is on its way. */
  | { kind: 'catching_up'; leftS: number; bytes: number; oldestMs: number | null }
  /** It waits and nothing of it is being recorded. */
  | { kind: 'waiting'; bytes: number; oldestMs: number }
  /** The agent is away; this much waited when it was last heard. */
  | { kind: 'away'; bytes: number; items: number };

/** Older than this, what waits is not just on its way. */
const ON_ITS_WAY_MS = 30_000;

export function keeping(rig: RigState, nowMs: number): Keeping {
  const { spool } = rig;
  if (spool === null) return { kind: 'unknown' };
  const { bytes, items, oldest_ms, catching_up_s } = spool;
  if (!rig.connected) return { kind: 'away', bytes, items };
  if (catching_up_s !== null && items > 0) {
    return { kind: 'catching_up', leftS: catching_up_s, bytes, oldestMs: oldest_ms };
  }
  if (items > 0 && oldest_ms !== null && oldest_ms > ON_ITS_WAY_MS)
    return { kind: 'waiting', bytes, oldestMs: oldest_ms };
  const ackAgeMs = rig.acked_ms === null ? null : Math.max(0, nowMs - rig.acked_ms);
  return { kind: 'recorded', ackAgeMs, driving: rig.state === 'on_track' };
}

export interface KeepingWords {
  text: string;
  tone: Tone;
}

/** For the rig's card. */
export function keepingWords(keeping: Keeping): KeepingWords {
  switch (keeping.kind) {
    case 'unknown':
      return { text: 'What it keeps is not known yet', tone: 'idle' };
    case 'recorded':
      return { text: recordedText(keeping.ackAgeMs, keeping.driving), tone: 'idle' };
    case 'catching_up': {
      const { leftS, bytes: size, oldestMs } = keeping;
      const since = oldestMs === null ? '' : `, the oldest from ${age(oldestMs)} ago`;
      return { text: `Catching up, about ${roughly(leftS)} left: ${bytes(size)} to record${since}`, tone: 'warn' };
    }
    case 'waiting':
      return {
        text: `${bytes(keeping.bytes)} wait to be recorded, the oldest for ${age(keeping.oldestMs)}`,
        tone: 'warn',
      };
    case 'away':
      return keeping.items === 0
        ? { text: 'Everything was recorded when it was last heard', tone: 'idle' }
        : { text: `Kept ${bytes(keeping.bytes)} when it was last heard; that comes when it is back`, tone: 'idle' };
  }
}

function recordedText(ackAgeMs: number | null, driving: boolean): string {
  if (ackAgeMs === null) return 'Nothing to record yet';
  if (driving) return `Recorded up to ${age(ackAgeMs)} ago`;
  return ackAgeMs < 60_000 ? 'All recorded' : `All recorded, last ${age(ackAgeMs)} ago`;
}

/** For the head of a dashboard, where only what is not as usual is said; empty otherwise. */
export function keepingBrief(keeping: Keeping): string {
  switch (keeping.kind) {
    case 'catching_up':
      return `catching up, ${roughly(keeping.leftS)} left`;
    case 'waiting':
      return `not recorded for ${age(keeping.oldestMs)}`;
    default:
      return '';
  }
}

/** That what is kept would not outlive the agent. */
export function isAtRisk(rig: RigState): boolean {
  return rig.spool !== null && !rig.spool.on_disk;
}

/** What was lost, in a sentence; null where nothing was, or where a person has seen that much of it. */
export function lossText(rig: RigState, seen: number): string | null {
  const lost = rig.spool?.lost ?? 0;
  if (lost <= seen) return null;
  const what = lost === 1 ? 'One piece of data was' : `${count(lost)} pieces of data were`;
  return `${what} lost: the rig’s PC had no room left to keep them until they could be recorded. They will not come back; the stretch stays empty in traces and laps.`;
}
