/** When to try again: doubling waits with jitter, so that viewers do not come back all at once. */

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/** The wait before attempt `attempt` (from 0), for `random` in [0, 1). */
export function backoffMs(attempt: number, random: number): number {
  const whole = Math.min(FIRST_MS * 2 ** Math.min(attempt, 16), LONGEST_MS);
  return Math.round(whole * (0.5 + random / 2));
}

/** The wait that the service asked for, spread by a quarter either way. */
export function askedMs(ms: number, random: number): number {
  return Math.round(ms * (0.75 + random / 2));
}
