/**
 * What charts and gauges read samples through, whether these come live or from a recording.
 *
 * Invariants: index 0 is the oldest sample; times never go back from one index to the next; a value that is not known
 * is NaN.
 */
import { Channel } from '../protocol.gen.ts';
import type { Batch } from './batch.ts';
import { type Gap, type Stretch, gapBetween } from './stretch.ts';

export interface SampleSource {
  /** How many samples there are. */
  readonly length: number;
  /** Whether any sample has a value of the channel. */
  has(channel: number): boolean;
  /** Milliseconds since the Unix epoch by the agent's clock. */
  time(index: number): number;
  /** The value in the catalogue's unit. */
  value(channel: number, index: number): number;
  /** Where samples are missing between two that are there, in the order of time. */
  readonly gaps: readonly Gap[];
  /** What came after what follows it, in the order of time. */
  readonly late: readonly Stretch[];
}

/** The gaps between the samples. */
export function gapsOf(source: Pick<SampleSource, 'length' | 'time' | 'value'>): Gap[] {
  const gaps: Gap[] = [];
  for (let i = 1; i < source.length; i += 1) {
    const session = (index: number) => source.value(Channel.SessionTime, index);
    const gap = gapBetween(source.time(i - 1), source.time(i), session(i - 1), session(i));
    if (gap !== null) gaps.push(gap);
  }
  return gaps;
}

/** The index of the last sample at or before a time; −1 where all are later. */
export function indexAt(source: SampleSource, timeMs: number): number {
  let low = 0;
  let high = source.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (source.time(middle) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A recorded stretch: one decoded trace. */
export class Recording implements SampleSource {
  readonly gaps: readonly Gap[];
  readonly late: readonly Stretch[] = [];
  private readonly columns = new Map<number, Float64Array>();
  private readonly times: Float64Array;

  constructor(batch: Batch) {
    this.times = batch.times;
    const n = batch.times.length;
    batch.channels.forEach((channel, i) => this.columns.set(channel, batch.values.subarray(i * n, (i + 1) * n)));
    this.gaps = gapsOf(this);
  }

  get length(): number {
    return this.times.length;
  }

  has(channel: number): boolean {
    return this.columns.has(channel);
  }

  time(index: number): number {
    return this.times[index] ?? NaN;
  }

  value(channel: number, index: number): number {
    return this.columns.get(channel)?.[index] ?? NaN;
  }
}
