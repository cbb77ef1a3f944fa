/**
 * The latest samples of a live session, in rings of typed arrays: one for the times and one per channel that has had a
 * value.
 *
 * Invariants: a sample that is not later than the last one kept is dropped (a batch may come twice around a reconnect),
 * but when the agent's clock was set back, the rings begin anew; what arrives late goes into gaps and nowhere else, so
 * that neither the latest values nor the newest sample ever change by it; the memory is fixed by the capacity.
 */
import { CHANNELS, Channel } from '../protocol.gen.ts';
import type { Batch } from './batch.ts';
import { type SampleSource, gapsOf } from './source.ts';
import { type Gap, type Stretch, gapBetween, joined } from './stretch.ts';

/** A channel's last value counts as known for this long; sources give some channels more rarely than others. */
export const HOLD_MS = 1500;

/** Samples this far back in time are not late: the agent's clock was set. */
const CLOCK_SET_MS = 5000;

type Columns = Pick<Batch, 'times' | 'channels' | 'values'>;

export class Ring implements SampleSource {
  gaps: readonly Gap[] = [];
  late: readonly Stretch[] = [];
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

  push(batch: Columns): void {
    if ((batch.times.at(-1) ?? NaN) < this.lastTime - CLOCK_SET_MS) this.clear();
    for (let i = 0; i < batch.times.length; i += 1) {
      const time = batch.times[i] ?? NaN;
      if (time <= this.lastTime) continue;
      const [beforeMs, beforeS] = [this.lastTime, this.value(Channel.SessionTime, this.used - 1)];
      const slot = this.claim(time);
      this.write(batch, i, slot);
      batch.channels.forEach((channel, c) => {
        const value = batch.values[c * batch.times.length + i] ?? NaN;
        if (Number.isNaN(value)) return;
        this.lastValue[channel] = value;
        this.lastSeen[channel] = time;
      });
      const gap = gapBetween(beforeMs, time, beforeS, this.value(Channel.SessionTime, this.used - 1));
      if (gap !== null) this.gaps = [...this.gaps, gap];
    }
    this.forget();
  }

  /** Puts samples that came late into the gaps where they are missing; returns how many there were. */
  fill(batch: Columns): number {
    const isMissing = (time: number) => this.gaps.some((gap) => gap.fromMs < time && time < gap.toMs);
    const rows = [...batch.times.keys()].filter((i) => isMissing(batch.times[i] ?? NaN));
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return 0;
    for (const gap of this.gaps) {
      const inside = rows.map((i) => batch.times[i] ?? NaN).filter((time) => gap.fromMs < time && time < gap.toMs);
      const [fromMs, toMs] = [inside[0], inside.at(-1)];
      if (fromMs !== undefined && toMs !== undefined) this.late = joined(this.late, { fromMs, toMs });
    }
    const kept = this.copy();
    [this.start, this.used] = [0, 0];
    let next = 0;
    const addUntil = (time: number) => {
      for (; next < rows.length && (batch.times[rows[next] ?? 0] ?? NaN) < time; next += 1) {
        const row = rows[next] ?? 0;
        this.write(batch, row, this.claim(batch.times[row] ?? NaN));
      }
    };
    for (let i = 0; i < kept.times.length; i += 1) {
      addUntil(kept.times[i] ?? NaN);
      this.write(kept, i, this.claim(kept.times[i] ?? NaN));
    }
    this.gaps = gapsOf(this);
    this.forget();
    return rows.length;
  }

  clear(): void {
    this.start = 0;
    this.used = 0;
    this.gaps = [];
    this.late = [];
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

  private write({ times, channels, values }: Columns, row: number, slot: number): void {
    for (let c = 0; c < channels.length; c += 1) {
      this.column(channels[c] ?? 0)[slot] = values[c * times.length + row] ?? NaN;
    }
  }

  /** Everything that is kept, in order. */
  private copy(): Columns {
    const channels = Uint16Array.from([...this.columns.keys()].filter((channel) => this.has(channel)));
    const values = new Float64Array(channels.length * this.used);
    channels.forEach((channel, c) => {
      for (let i = 0; i < this.used; i += 1) values[c * this.used + i] = this.value(channel, i);
    });
    return { times: Float64Array.from({ length: this.used }, (_, i) => this.time(i)), channels, values };
  }

  /** Stretches that are older than every sample are of no use. */
  private forget(): void {
    const oldest = this.time(0);
    if ((this.gaps[0]?.toMs ?? Infinity) <= oldest) this.gaps = this.gaps.filter((gap) => gap.toMs > oldest);
    if ((this.late[0]?.toMs ?? Infinity) < oldest) this.late = this.late.filter((stretch) => stretch.toMs >= oldest);
  }

  private column(channel: number): Float32Array {
    return (this.columns[channel] ??= new Float32Array(this.capacity).fill(NaN));
  }
}
