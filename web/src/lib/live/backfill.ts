/**
 * Gets what is missing of the shown stretch from the record.
 *
 * A gap in the ring is asked for when the service says that a stretch was recorded later (`backfilled`), and otherwise
 * after a while, because what only this page has missed is recorded within seconds. One request at a time, with longer
 * waits between them; a gap that stays is given up until the service says more.
 *
 * Invariant: what comes goes into gaps only (`Ring.fill`). Not here: sockets and HTTP; `ReadStretch` is given from outside.
 */
import { Channel } from '../protocol.gen.ts';
import type { Batch } from './batch.ts';
import type { Ring } from './ring.ts';
import { indexAt } from './source.ts';
import type { Gap } from './stretch.ts';

/** The samples of a stretch of session time as far as they are recorded; null where there are none. */
export type ReadStretch = (fromS: number, toS: number) => Promise<Batch | null>;

/** Waits before each try; the first is longer than the service takes to record. */
const WAITS_MS = [12_000, 20_000, 40_000, 80_000];
/** After word of a stretch: the next one may follow soon. */
const TOLD_MS = 500;
/** Least time between two requests. */
const APART_MS = 2000;
/** Longest stretch that is asked for: the service gives no more at once, and a page shows less. */
const MOST_S = 1800;
/** How far from a gap a sample may be that says the session's time: some sources give it more rarely. */
const NEAR = 100;

interface Attempt {
  tries: number;
  atMs: number;
}

export class Backfill {
  private readonly attempts = new Map<number, Attempt>();
  private busy = false;
  private freeAtMs = 0;
  /** Samples that came back. */
  filled = 0;

  constructor(
    private readonly ring: Ring,
    private readonly readStretch: ReadStretch,
  ) {}

  /** The service has recorded a stretch of session time, in seconds, that could not be shown. */
  told(fromS: number, toS: number, nowMs: number): void {
    for (const gap of this.missing()) {
      const [before, after] = this.sessionTimes(gap);
      // A time that is not known may be anything.
      if (before > toS || after < fromS) continue;
      const { tries, atMs } = this.attempts.get(gap.toMs) ?? { tries: 0, atMs: Infinity };
      this.attempts.set(gap.toMs, {
        tries: Math.min(tries, WAITS_MS.length - 1),
        atMs: Math.min(atMs, nowMs + TOLD_MS),
      });
    }
  }

  /** To be called once a second or so; asks for the latest gap whose time has come, at most `windowMs` back. */
  async tick(nowMs: number, windowMs: number): Promise<void> {
    const gaps = this.missing().filter((gap) => gap.toMs > this.ring.lastTime - windowMs);
    for (const key of this.attempts.keys()) {
      if (!this.missing().some((gap) => gap.toMs === key)) this.attempts.delete(key);
    }
    for (const gap of gaps) {
      if (!this.attempts.has(gap.toMs)) this.attempts.set(gap.toMs, { tries: 0, atMs: nowMs + (WAITS_MS[0] ?? 0) });
    }
    if (this.busy || nowMs < this.freeAtMs) return;
    const due = gaps.findLast((gap) => (this.attempts.get(gap.toMs)?.atMs ?? Infinity) <= nowMs);
    if (due !== undefined) await this.ask(due, nowMs);
  }

  private async ask(gap: Gap, nowMs: number): Promise<void> {
    this.busy = true;
    this.freeAtMs = nowMs + APART_MS;
    const tries = (this.attempts.get(gap.toMs)?.tries ?? 0) + 1;
    this.attempts.set(gap.toMs, { tries, atMs: nowMs + (WAITS_MS[tries] ?? Infinity) });
    try {
      const stretch = this.stretch(gap);
      const batch = stretch === null ? null : await this.readStretch(...stretch);
      if (batch !== null) this.filled += this.ring.fill(batch);
    } catch {
      // Not to be had now: it is asked for again when its next time has come.
    } finally {
      this.busy = false;
    }
  }

  private missing(): Gap[] {
    return this.ring.gaps.filter((gap) => gap.kind === 'missing');
  }

  /** The session's time over a gap, its latest part where it is too long; null where that is not known. */
  private stretch(gap: Gap): [number, number] | null {
    const [before, after] = this.sessionTimes(gap);
    if (Number.isNaN(after)) return null;
    const begin = Number.isNaN(before) ? after - (gap.toMs - gap.fromMs) / 1000 : before;
    const from = Math.max(begin, after - MOST_S);
    return from < after ? [from, after] : null;
  }

  /** The session's time before and after a gap, from the nearest samples that have one. */
  private sessionTimes(gap: Gap): [number, number] {
    const before = indexAt(this.ring, gap.fromMs);
    return [this.near(before, -1), this.near(before + 1, 1)];
  }

  private near(index: number, step: 1 | -1): number {
    for (let i = 0; i < NEAR; i += 1) {
      const value = this.ring.value(Channel.SessionTime, index + i * step);
      if (!Number.isNaN(value)) return value;
    }
    return NaN;
  }
}
