/**
 * The latest samples of a live session, in rings of typed arrays: one for the times and one per channel that has had a
 * value.
 *
 * Invariants: a sample that is not later than the last one kept is dropped (a batch may come twice around a reconnect),
 * but when the agent's clock was set back, the rings begin anew; the memory is fixed by the capacity.
 */
import { CHANNELS } from '../protocol.gen.ts';
import type { Batch } from './batch.ts';
import type { SampleSource } from './source.ts';

/** A channel's last value counts as known for this long; sources give some channels more rarely than others. */
export const HOLD_MS = 1500;

/** Samples this far back in time are not late: the agent's clock was set. */
const CLOCK_SET_MS = 5000;

export class Ring implements SampleSource {
  private readonly times: Float64Array;
  private readonly columns: (Float32Array | undefined)[] = new Array(CHANNELS.length);
  private readonly lastValue = new Float64Array(CHANNELS.length).fill(NaN);
  private readonly lastSeen = new Float64Array(CHANNELS.length).fill(-Infinity);
  private start = 0;
  private used = 0;

  constructor(private readonly capacity: number) {
    this.times = new Float64Array(capacity);
  }

  get length(): number {
    return this.used;
  }

  /** Time of the latest sample; NaN where there is none. */
  get lastTime(): number {
    return this.time(this.used - 1);
  }

  has(channel: number): boolean {
    return this.columns[channel] !== undefined;
  }

  time(index: number): number {
    return index < 0 || index >= this.used ? NaN : (this.times[(this.start + index) % this.capacity] ?? NaN);
  }

  value(channel: number, index: number): number {
    if (index < 0 || index >= this.used) return NaN;
    return this.columns[channel]?.[(this.start + index) % this.capacity] ?? NaN;
  }

  /** The channel's last value where it is no older than `HOLD_MS` against the latest sample, else NaN. */
  latest(channel: number): number {
    return this.lastTime - (this.lastSeen[channel] ?? -Infinity) <= HOLD_MS ? (this.lastValue[channel] ?? NaN) : NaN;
  }

  push(batch: Pick<Batch, 'times' | 'channels' | 'values'>): void {
    const { times, channels, values } = batch;
    if ((times[times.length - 1] ?? NaN) < this.lastTime - CLOCK_SET_MS) this.clear();
    for (let i = 0; i < times.length; i += 1) {
      const time = times[i] ?? NaN;
      if (time <= this.lastTime) continue;
      const slot = this.claim(time);
      for (let c = 0; c < channels.length; c += 1) {
        const channel = channels[c] ?? 0;
        const value = values[c * times.length + i] ?? NaN;
        this.column(channel)[slot] = value;
        if (!Number.isNaN(value)) {
          this.lastValue[channel] = value;
          this.lastSeen[channel] = time;
        }
      }
    }
  }

  clear(): void {
    this.start = 0;
    this.used = 0;
    this.columns.fill(undefined);
    this.lastValue.fill(NaN);
    this.lastSeen.fill(-Infinity);
  }

  /** A slot for the next sample, of which only the time is known yet. */
  private claim(time: number): number {
    const slot = (this.start + this.used) % this.capacity;
    if (this.used === this.capacity) this.start = (this.start + 1) % this.capacity;
    else this.used += 1;
    this.times[slot] = time;
    for (const column of this.columns) if (column !== undefined) column[slot] = NaN;
    return slot;
  }

  private column(channel: number): Float32Array {
    return (this.columns[channel] ??= new Float32Array(this.capacity).fill(NaN));
  }
}
