import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHANNELS } from '../protocol.gen.ts';
import { BatchError, decodeBatch } from './batch.ts';

const golden = new URL('../../../../protocol/tests/golden/', import.meta.url);
const bytes = (path: string) => new Uint8Array(readFileSync(new URL(path, golden)));
const json = (path: string) => JSON.parse(readFileSync(new URL(path, golden), 'utf8'));
const names = (folder: string) =>
  readdirSync(new URL(folder, golden))
    .filter((name) => name.endsWith('.bin'))
    .map((name) => name.slice(0, -4));

describe('frames that the protocol crate wrote', () => {
  it.each(names('accepted/'))('%s is read as it was written', (name) => {
    const batch = decodeBatch(bytes(`accepted/${name}.bin`));
    const expected = json(`accepted/${name}.json`);
    const { opcode, session, epoch, sequence } = batch;
    expect({ opcode, session, epoch, sequence }).toEqual({
      opcode: expected.opcode,
      session: expected.session,
      epoch: expected.epoch,
      sequence: expected.sequence,
    });
    expect(Array.from(batch.times)).toEqual(expected.times_ms);
    const found: Record<string, (number | null)[]> = {};
    batch.channels.forEach((number, i) => {
      const info = CHANNELS[number];
      if (info === undefined) throw new Error(`channel ${number}`);
      const column = batch.values.subarray(i * batch.times.length, (i + 1) * batch.times.length);
      found[info.name] = Array.from(column, (v) => (Number.isNaN(v) ? null : Math.round(v / info.quantum) + 0));
    });
    expect(found).toEqual(expected.channels);
  });

  it.each(names('refused/'))('%s is refused with the same words', (name) => {
    const expected = json(`refused/${name}.json`);
    expect(() => decodeBatch(bytes(`refused/${name}.bin`))).toThrow(new BatchError(expected.error));
  });

  it('any truncation is refused and never read beyond', () => {
    const frame = bytes('accepted/gaps.bin');
    for (let n = 0; n < frame.length; n += 1) expect(() => decodeBatch(frame.subarray(0, n))).toThrow(BatchError);
  });
});
