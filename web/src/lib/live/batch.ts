/**
 * Decodes batches and traces: the counterpart of the crate `protocol`, modules `batch` and `columns`.
 *
 * Invariants: any bytes either decode or throw a `BatchError` that says what is wrong; nothing is allocated by a length
 * that was not checked against a limit. Absent values are NaN. Channels that this version does not know are skipped.
 *
 * Not here: what is done with the samples. The golden frames in `protocol/tests/golden` pin both sides.
 */
import {
  BATCH_FORMAT,
  CHANNELS,
  MAX_BATCH_CHANNELS,
  MAX_BATCH_SAMPLES,
  MAX_TRACE_SAMPLES,
  OPCODE_SAMPLES,
  OPCODE_TRACE,
  type SessionId,
} from '../protocol.gen.ts';

const HAS_GAPS = 1;
const CONSTANT = 2;
const I32_MAX = 2 ** 31 - 1;

export class BatchError extends Error {
  override name = 'BatchError';
}

/** Some samples by column, in the catalogue's units. */
export interface Batch {
  opcode: number;
  session: SessionId;
  epoch: number;
  sequence: number;
  /** Milliseconds since the Unix epoch by the agent's clock. */
  times: Float64Array;
  /** Numbers of the channels that have a value. */
  channels: Uint16Array;
  /** One run of `times.length` values per entry of `channels`, NaN where absent. */
  values: Float64Array;
}

/** Reads from bytes and remembers where it is. */
export class Reader {
  at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get rest(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new BatchError(`cut short at byte ${this.at}`);
    this.at += 1;
    return byte;
  }

  take(n: number): Uint8Array {
    if (n > this.rest) throw new BatchError(`cut short at byte ${this.at}`);
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  /** An unsigned number; exact up to 2^53, which is more than the wire ever holds. */
  varint(): number {
    const start = this.at;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i += 1) {
      const byte = this.byte();
      if (i === 9 && byte > 1) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new BatchError(`number too long at byte ${start}`);
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

export function decodeBatch(bytes: Uint8Array): Batch {
  const reader = new Reader(bytes);
  const opcode = reader.byte();
  if (opcode !== OPCODE_SAMPLES && opcode !== OPCODE_TRACE) {
    throw new BatchError(`opcode ${opcode} is not a batch of samples`);
  }
  const format = reader.byte();
  if (format !== BATCH_FORMAT) {
    throw new BatchError(`batch format ${format} is not known, this side reads format ${BATCH_FORMAT}`);
  }
  const session = uuid(reader.take(16));
  const epoch = reader.varint();
  const sequence = reader.varint();
  const base = reader.varint();
  const samples = reader.varint();
  if (sequence === 0 && opcode === OPCODE_SAMPLES) throw new BatchError('sequence 0: sequences count from 1');
  const limit = opcode === OPCODE_SAMPLES ? MAX_BATCH_SAMPLES : MAX_TRACE_SAMPLES;
  if (samples === 0 || samples > limit) {
    throw new BatchError(`${samples} samples in a batch, allowed are 1 to ${limit}`);
  }
  const times = readTimes(reader, base, samples);
  const columns = readColumns(reader, samples);
  if (reader.rest > 0) throw new BatchError(`${reader.rest} bytes after the last column`);
  return { opcode, session, epoch, sequence, times, ...columns };
}

function readTimes(reader: Reader, base: number, samples: number): Float64Array {
  const times = new Float64Array(samples);
  let at = base;
  times[0] = at;
  for (let i = 1; i < samples; i += 1) {
    at += reader.zigzag();
    if (at < 0 || at > Number.MAX_SAFE_INTEGER) throw new BatchError(`time of sample ${i} is out of range`);
    times[i] = at;
  }
  return times;
}

function readColumns(reader: Reader, samples: number): Pick<Batch, 'channels' | 'values'> {
  const count = reader.varint();
  if (count > MAX_BATCH_CHANNELS) {
    throw new BatchError(`${count} columns in a batch, allowed are ${MAX_BATCH_CHANNELS}`);
  }
  const known = Math.min(count, CHANNELS.length);
  const channels = new Uint16Array(known);
  const values = new Float64Array(known * samples).fill(NaN);
  const seen = new Uint8Array(CHANNELS.length);
  let used = 0;
  for (let i = 0; i < count; i += 1) {
    const head = reader.varint();
    const number = Math.floor(head / 4);
    const channel = CHANNELS[number];
    if (channel === undefined) {
      readColumn(reader, head % 4, samples, 1, null);
      continue;
    }
    const column = seen[number] === 1 ? null : values.subarray(used * samples, (used + 1) * samples);
    readColumn(reader, head % 4, samples, channel.quantum, column);
    if (column === null) throw new BatchError(`channel ${number} comes twice`);
    seen[number] = 1;
    channels[used] = number;
    used += 1;
  }
  return { channels: channels.subarray(0, used), values: values.subarray(0, used * samples) };
}

function readColumn(reader: Reader, flags: number, samples: number, quantum: number, out: Float64Array | null): void {
  const bitmap = (flags & HAS_GAPS) === 0 ? null : reader.take(Math.ceil(samples / 8));
  let last = 0;
  let started = false;
  for (let i = 0; i < samples; i += 1) {
    if (bitmap !== null && (((bitmap[i >> 3] ?? 0) >> (i & 7)) & 1) === 0) continue;
    if (!(started && (flags & CONSTANT) !== 0)) {
      const at = reader.at;
      last += reader.zigzag();
      if (last < -I32_MAX || last > I32_MAX) throw new BatchError(`value out of range at byte ${at}`);
      started = true;
    }
    if (out !== null) out[i] = last * quantum;
  }
}

export function uuid(bytes: Uint8Array): SessionId {
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
