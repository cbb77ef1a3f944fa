/**
 * Which instant of the agent's clock is shown now.
 *
 * Batches come every 100 ms, or as often as was asked for, and not evenly. Shown a little late, samples move evenly: the
 * playhead runs with the local clock and is pulled gently towards `delayMs` behind the newest sample; after a pause it
 * jumps.
 */
export const DELAY_MS = 150;
const JITTER_MS = 50;
const JUMP_MS = 450;
const PULL = 0.05;

export class Playout {
  /** Agent's clock minus local clock, as shown. */
  private offset = NaN;
  private delayMs = DELAY_MS;

  /** So many batches a second are asked for. */
  expect(maxHz: number): void {
    this.delayMs = Math.max(DELAY_MS, 1000 / maxHz + JITTER_MS);
  }

  /** A batch came: its newest sample, and the local time. */
  arrived(sampleMs: number, nowMs: number): void {
    const wanted = sampleMs - this.delayMs - nowMs;
    const off = wanted - this.offset;
    this.offset = Number.isNaN(off) || Math.abs(off) > this.delayMs + JUMP_MS ? wanted : this.offset + off * PULL;
  }

  /** The instant to show; never later than the newest sample, so that a stalled stream stands still. */
  at(nowMs: number, newestMs: number): number {
    return Math.min(nowMs + this.offset, newestMs);
  }

  reset(): void {
    this.offset = NaN;
  }
}
