// When samples came to somebody who watches, and how long none did.

/** One batch: when it came, and the time of its newest sample; both by this machine's clock, milliseconds. */
export type Arrival = readonly [at: number, newest: number];

/** Older than this, a sample is no news: it came with a resumed stream or was backfilled. */
const FRESH_MS = 1000;

/** The longest time without fresh samples in a stretch, its ends included, and when it began. */
export function longestGap(arrivals: readonly Arrival[], from: number, to: number): { ms: number; at: number } {
  let longest = { ms: 0, at: from };
  let before = from;
  for (const at of [...freshIn(arrivals, from, to), to]) {
    if (at - before > longest.ms) longest = { ms: at - before, at: before };
    before = at;
  }
  return longest;
}

/** How long after an instant the first sample came that was taken after it; infinite where none did. */
export function freshAfter(arrivals: readonly Arrival[], instant: number): number {
  const first = arrivals.find(([at, newest]) => at > instant && newest > instant && at - newest < FRESH_MS);
  return first === undefined ? Infinity : first[0] - instant;
}

function freshIn(arrivals: readonly Arrival[], from: number, to: number): number[] {
  return arrivals.filter(([at, newest]) => at >= from && at <= to && at - newest < FRESH_MS).map(([at]) => at);
}
