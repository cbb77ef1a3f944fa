/** The latest value of each channel at one instant, for what is shown as numbers. */
import { CHANNELS } from '../../protocol.gen.ts';
import type { Ring } from '../../live/ring.ts';

export class Values {
  private constructor(private readonly table: Float64Array) {}

  static readonly none = new Values(new Float64Array(CHANNELS.length).fill(NaN));

  static of(ring: Ring): Values {
    return new Values(Float64Array.from(CHANNELS, (_, channel) => ring.latest(channel)));
  }

  /** The value in the catalogue's unit; null where it is not known. */
  get(channel: number): number | null {
    const value = this.table[channel];
    return value === undefined || Number.isNaN(value) ? null : value;
  }
}
