/**
 * Stretches of time of which samples are missing, or came later than those after them.
 *
 * A hole is judged by the samples' own times: fewer samples than there could be (thinned for a phone or a hidden tab) are
 * no hole. Not here: who fetches what is missing (`backfill`), how it is drawn (`plot/bands`).
 */

/** Samples further apart than this have a hole between them: nothing is drawn across. */
export const GAP_MS = 1500;

/** When the session's clock moved less than this over a hole, the game stood still: nothing is missing. */
const STOOD_S = 1;

/** From one instant to another, by the agent's clock. */
export interface Stretch {
  fromMs: number;
  toMs: number;
}

export interface Gap extends Stretch {
  /** Samples are missing, or the session stood still and there are none. */
  kind: 'missing' | 'paused';
}

/** The gap between two samples that follow each other, by their times and session times (NaN: not known); or null. */
export function gapBetween(fromMs: number, toMs: number, fromS: number, toS: number): Gap | null {
  if (!(toMs - fromMs > GAP_MS)) return null;
  const stood = Math.abs(toS - fromS) < STOOD_S;
  return { fromMs, toMs, kind: stood ? 'paused' : 'missing' };
}

/** The stretches and one more, with those made one that have no gap between them; in the order of time. */
export function joined(stretches: readonly Stretch[], next: Stretch): Stretch[] {
  const apart = stretches.filter((s) => s.toMs < next.fromMs - GAP_MS || s.fromMs > next.toMs + GAP_MS);
  const touching = stretches.filter((s) => !apart.includes(s));
  const whole = {
    fromMs: Math.min(next.fromMs, ...touching.map((s) => s.fromMs)),
    toMs: Math.max(next.toMs, ...touching.map((s) => s.toMs)),
  };
  return [...apart, whole].sort((a, b) => a.fromMs - b.fromMs);
}
