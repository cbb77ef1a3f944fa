import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BatchError } from './batch.ts';
import { type DecodedStandings, StandingsDecoder, StandingsError } from './standings.ts';

const golden = new URL('../../../../protocol/tests/golden/standings/', import.meta.url);
const bytes = (name: string) => new Uint8Array(readFileSync(new URL(name, golden)));
const names = readdirSync(golden)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));

const applied = (decoder: StandingsDecoder, frame: Uint8Array): DecodedStandings | { error: string } => {
  try {
    // As it was after this frame, whatever comes next.
    return structuredClone(decoder.apply(frame));
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
    return { error: error.message };
  }
};

describe('frames that the protocol crate wrote', () => {
  it.each(names)('%s adds up to the same, or is refused with the same words', (name) => {
    const expected: unknown[] = JSON.parse(readFileSync(new URL(`${name}.json`, golden), 'utf8'));
    const decoder = new StandingsDecoder();
    const found = expected.map((_, i) => applied(decoder, bytes(`${name}.${i + 1}.bin`)));
    expect(found).toEqual(expected);
    expect(existsSync(new URL(`${name}.${expected.length + 1}.bin`, golden))).toBe(false);
  });

  it('there are some of each kind', () => {
    expect(names).toEqual(expect.arrayContaining(['race', 'names', 'limits', 'missed', 'refused_half_a_place']));
  });

  it('any truncation is refused, never read beyond, and costs what was known', () => {
    const [whole, frame] = [bytes('race.1.bin'), bytes('race.5.bin')];
    for (let n = 0; n < whole.length; n += 1) {
      expect(() => new StandingsDecoder().apply(whole.subarray(0, n))).toThrow(BatchError);
    }
    for (let n = 0; n < frame.length; n += 1) {
      const decoder = new StandingsDecoder();
      for (let i = 1; i < 5; i += 1) decoder.apply(bytes(`race.${i}.bin`));
      expect(() => decoder.apply(frame.subarray(0, n))).toThrow(BatchError);
      if (n > 25) expect(() => decoder.apply(frame)).toThrow(StandingsError);
    }
  });
});
