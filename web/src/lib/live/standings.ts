/**
 * Decodes frames of standings: the counterpart of the crate `protocol`, module `standings`, which says how they are made.
 *
 * Invariants: any bytes are either applied or throw a `StandingsError` that says what is wrong; a frame that applies to
 * another than the last leaves everything as it was, one that is broken costs what was known. What is not known is null.
 *
 * Not here: asking for a keyframe. The golden frames in `protocol/tests/golden/standings` pin both sides.
 */
import {
  type CarStanding,
  type FinishState,
  MAX_CARS,
  MAX_TEXT,
  OPCODE_STANDINGS,
  type Phase,
  type PitState,
  type SessionId,
  STANDINGS_FORMAT,
  type Standings,
} from '../protocol.gen.ts';
import { BatchError, Reader, uuid } from './batch.ts';

export class StandingsError extends BatchError {
  override name = 'StandingsError';
}

/** The field after a frame. */
export interface DecodedStandings {
  session: SessionId;
  number: number;
  /** Number of the frame that it applied to; null for a keyframe. */
  base: number | null;
  standings: Standings;
}

const PHASES: readonly Phase[] = [
  'before',
  'formation',
  'green',
  'full_course_yellow',
  'virtual_safety_car',
  'stopped',
  'over',
  'paused',
];
const PITS: readonly PitState[] = ['track', 'requested', 'entering', 'stopped', 'exiting', 'garage'];
const FINISHES: readonly FinishState[] = ['running', 'finished', 'retired', 'disqualified'];

/** Name, least and most step, and what it is before it was told: null where it may be absent. */
type Known = readonly [name: string, least: number, most: number, blank: 0 | null];
const MOST = 2 ** 31 - 1;
const U16 = 2 ** 16 - 1;
const steps = (name: string): Known => [name, -MOST, MOST, null];
const ms = (name: string): Known => [name, 0, MOST, null];
const count = (name: string, most = U16): Known => [name, 0, most, 0];
const some = (name: string, most = U16): Known => [name, 0, most, null];

const HEAD: readonly Known[] = [
  ['at_s', -MOST, MOST, 0],
  steps('time_left_s'),
  count('phase', PHASES.length - 1),
  count('yellow_sectors', 0b111),
];
const NUMBERS: readonly Known[] = [
  steps('lap_distance_m'),
  steps('x'),
  steps('z'),
  steps('gap_s'),
  steps('interval_s'),
  steps('virtual_energy_pct'),
  some('sector', 255),
  ms('current_sectors_ms'),
  ms('current_sectors_ms'),
  count('laps'),
  count('position'),
  some('class_position'),
  ms('last_lap_ms'),
  ms('best_lap_ms'),
  ms('last_sectors_ms'),
  ms('last_sectors_ms'),
  ms('last_sectors_ms'),
  some('gap_laps'),
  some('interval_laps'),
  count('pit', PITS.length - 1),
  count('pit_stops'),
  count('penalties'),
  count('finish', FINISHES.length - 1),
];
/** driver, number, entrant, car_name, class, compound */
const TEXTS = 6;

interface Car {
  key: string;
  numbers: (number | null)[];
  texts: (string | null)[];
}

interface Field {
  session: SessionId;
  number: number;
  head: (number | null)[];
  /** In the order in which they became known. */
  cars: Car[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class StandingsDecoder {
  private field: Field | null = null;

  apply(bytes: Uint8Array): DecodedStandings {
    const reader = new Reader(bytes);
    const { session, number, base } = readHeader(reader);
    const known = this.field;
    if (base !== null && (known === null || known.session !== session || known.number !== base)) {
      throw new StandingsError(`applies to frame ${base}, which is not here: a keyframe is needed`);
    }
    this.field = null;
    const field =
      base === null || known === null ? { session, number, head: HEAD.map(blank), cars: [] } : { ...known, number };
    readField(reader, field);
    if (reader.rest > 0) throw new StandingsError(`${reader.rest} bytes after the last car`);
    this.field = field;
    return { session, number, base, standings: standingsOf(field) };
  }

  forget(): void {
    this.field = null;
  }
}

function blank([, , , value]: Known): 0 | null {
  return value;
}

function readHeader(reader: Reader): Pick<DecodedStandings, 'session' | 'number' | 'base'> {
  const opcode = reader.byte();
  if (opcode !== OPCODE_STANDINGS) throw new StandingsError(`opcode ${opcode} is not a frame of standings`);
  const format = reader.byte();
  if (format !== STANDINGS_FORMAT) {
    throw new StandingsError(`standings format ${format} is not known, this side reads format ${STANDINGS_FORMAT}`);
  }
  const session = uuid(reader.take(16));
  const number = reader.varint();
  const back = reader.varint();
  if (number === 0 || number > Number.MAX_SAFE_INTEGER || back >= number) {
    throw new StandingsError("the frame's number is out of range");
  }
  return { session, number, base: back === 0 ? null : number - back };
}

function readField(reader: Reader, field: Field): void {
  for (const i of readMask(reader, HEAD.length)) field.head[i] = readNumber(reader, field.head[i], HEAD[i]);
  const left = new Set<number>();
  readPlaces(reader, field.cars.length, (place) => left.add(place));
  if (left.size > 0) field.cars = field.cars.filter((_, place) => !left.has(place));
  readPlaces(reader, field.cars.length, (place) => {
    const car = field.cars[place];
    if (car !== undefined) readCar(reader, car);
  });
  const joined = reader.varint();
  const cars = joined + field.cars.length;
  if (cars > MAX_CARS) throw tooMany(cars);
  for (let i = 0; i < joined; i += 1) {
    const at = reader.at;
    const key = readText(reader);
    if (key === null) throw noText(at);
    const car: Car = { key, numbers: NUMBERS.map(blank), texts: new Array<null>(TEXTS).fill(null) };
    readCar(reader, car);
    field.cars.push(car);
  }
  if (joined > 0) refuseTwins(field.cars);
}

function refuseTwins(cars: Car[]): void {
  const seen = new Set<string>();
  for (const { key } of cars) {
    if (seen.has(key)) throw new StandingsError(`car "${key}" comes twice`);
    seen.add(key);
  }
}

/** The bits that are set. */
function readMask(reader: Reader, known: number): number[] {
  const mask = reader.varint();
  if (mask >= 2 ** known) throw new StandingsError(`field ${Math.floor(Math.log2(mask))} is not known`);
  const bits: number[] = [];
  for (let i = 0; i < known; i += 1) if ((mask & (1 << i)) !== 0) bits.push(i);
  return bits;
}

/** Places below `limit`, in ascending order; `each` may read on. */
function readPlaces(reader: Reader, limit: number, each: (place: number) => void): void {
  const places = reader.varint();
  if (places > limit) throw tooMany(places);
  let next = 0;
  for (let i = 0; i < places; i += 1) {
    const place = next + reader.varint();
    if (place >= limit) throw new StandingsError(`there is no car at place ${place}`);
    each(place);
    next = place + 1;
  }
}

function readCar(reader: Reader, car: Car): void {
  const at = reader.at;
  for (const i of readMask(reader, NUMBERS.length + TEXTS)) {
    if (i < NUMBERS.length) car.numbers[i] = readNumber(reader, car.numbers[i], NUMBERS[i]);
    else car.texts[i - NUMBERS.length] = readText(reader);
  }
  const [, x, z] = car.numbers;
  if ((x === null) !== (z === null)) throw new StandingsError(`xz_m out of range at byte ${at}`);
}

function readNumber(reader: Reader, before: number | null | undefined, known: Known | undefined): number | null {
  const [name, least, most, absent] = known ?? ['', 0, 0, 0];
  const { at } = reader;
  const coded = reader.varint();
  if (coded === 0 && absent === null) return null;
  const zigzag = coded - 1;
  const now = (before ?? 0) + (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2);
  if (coded === 0 || now < least || now > most) throw new StandingsError(`${name} out of range at byte ${at}`);
  return now;
}

function readText(reader: Reader): string | null {
  const { at } = reader;
  const length = reader.varint() - 1;
  if (length < 0) return null;
  if (length > MAX_TEXT) throw noText(at);
  const bytes = reader.take(length);
  if (bytes.includes(0)) throw noText(at);
  try {
    return utf8.decode(bytes);
  } catch {
    throw noText(at);
  }
}

function noText(at: number): StandingsError {
  return new StandingsError(`not a text at byte ${at}`);
}

function tooMany(cars: number): StandingsError {
  return new StandingsError(`${cars} cars are more than there can be, the most is ${MAX_CARS}`);
}

function standingsOf(field: Field): Standings {
  const [at, timeLeft, phase, yellow] = field.head;
  const cars = field.cars.map(carOf);
  const place = ({ position }: CarStanding) => (position === 0 ? Infinity : position);
  cars.sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
  return {
    at_s: (at ?? 0) / 1000,
    time_left_s: per(timeLeft, 1000),
    phase: PHASES[phase ?? 0] ?? 'before',
    yellow_sectors: [1, 2, 3].filter((sector) => ((yellow ?? 0) & (1 << (sector - 1))) !== 0),
    cars,
  };
}

function per(value: number | null | undefined, stepsPerUnit: number): number | null {
  return value === null || value === undefined ? null : value / stepsPerUnit;
}

function carOf({ key, numbers, texts }: Car): CarStanding {
  const n = (i: number): number | null => numbers[i] ?? null;
  const text = (i: number): string | null => texts[i] ?? null;
  const [x, z] = [per(n(1), 4), per(n(2), 4)];
  return {
    car: key,
    number: text(1),
    driver: text(0) ?? '',
    entrant: text(2),
    car_name: text(3),
    class: text(4),
    position: n(10) ?? 0,
    class_position: n(11),
    laps: n(9) ?? 0,
    sector: n(6),
    lap_distance_m: per(n(0), 4),
    gap_s: per(n(3), 1000),
    gap_laps: n(17),
    interval_s: per(n(4), 1000),
    interval_laps: n(18),
    last_lap_ms: n(12),
    best_lap_ms: n(13),
    last_sectors_ms: [n(14), n(15), n(16)],
    current_sectors_ms: [n(7), n(8)],
    pit: PITS[n(19) ?? 0] ?? 'track',
    pit_stops: n(20) ?? 0,
    penalties: n(21) ?? 0,
    finish: FINISHES[n(22) ?? 0] ?? 'running',
    compound: text(5),
    virtual_energy_pct: per(n(5), 10),
    xz_m: x === null || z === null ? null : [x, z],
  };
}
