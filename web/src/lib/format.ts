/**
 * How values are written. What is not known is "—", never 0.
 */
import type { EndReason, Game, NoteTopic, Phase, PitState, SessionKind, SetupArea } from './protocol.gen.ts';

export const DASH = '—';
const MINUS = '−';

export type Maybe = number | null | undefined;

export function known(value: Maybe): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** A number with so many decimals. */
export function num(value: Maybe, digits = 0): string {
  if (!known(value)) return DASH;
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** A number with its unit; the unit is left away with the number. */
export function quantity(value: Maybe, unit: string, digits = 0): string {
  return known(value) ? `${num(value, digits)}\u202f${unit}` : DASH;
}

/** `m:ss.mmm` */
export function lapTime(ms: Maybe): string {
  if (!known(ms)) return DASH;
  const whole = Math.round(ms);
  return `${Math.floor(whole / 60_000)}:${seconds(whole % 60_000)}`;
}

/** `ss.mmm`, with minutes where there are any. */
export function sectorTime(ms: Maybe): string {
  if (!known(ms)) return DASH;
  return Math.round(ms) >= 60_000 ? lapTime(ms) : (Math.round(ms) / 1000).toFixed(3);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3).padStart(6, '0');
}

/** A length of time in seconds: `h:mm:ss`, or `m:ss` below an hour. */
export function clock(s: Maybe): string {
  if (!known(s)) return DASH;
  const whole = Math.max(0, Math.floor(s));
  const [h, m, sec] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(sec)}` : `${m}:${two(sec)}`;
}

/** A gap: whole laps where there are any, else seconds. */
export function gap(s: Maybe, laps: Maybe): string {
  if (known(laps) && laps > 0) return `+${laps}L`;
  return known(s) ? `+${Math.max(0, s).toFixed(3)}` : DASH;
}

/** A difference, with its sign. */
export function delta(s: Maybe, digits = 3): string {
  if (!known(s)) return DASH;
  const text = Math.abs(s).toFixed(digits);
  return Number(text) === 0 ? `±${text}` : (s < 0 ? MINUS : '+') + text;
}

/** How long ago: `12 s`, `4 min`, `3 h`, `2 days`. */
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

/** Date and time of day where the reader is. */
export function when(at: string | number | null | undefined): string {
  if (at === null || at === undefined) return DASH;
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return DASH;
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** From one time of day to another, where the reader is: `14:03:10–14:05:30`. */
export function timeSpan(fromMs: number, toMs: number): string {
  const time = (ms: number) => new Date(ms).toLocaleTimeString('en-GB', { hour12: false });
  return `${time(fromMs)}–${time(toMs)}`;
}

/** How many bytes, as people say it: `480 kB`, `3.1 MB`, `41 MB`, `1.2 GB`. */
export function bytes(n: number): string {
  if (n < 1e6) return `${Math.round(n / 1e3)}\u202fkB`;
  const [value, unit] = n < 1e9 ? [n / 1e6, 'MB'] : [n / 1e9, 'GB'];
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}\u202f${unit}`;
}

/** How long to wait, for people: `40 s`, `5 min`, `2 h`. Never less than it is. */
export function waitWords(s: number): string {
  if (s <= 120) return `${s} s`;
  return s <= 7200 ? `${Math.ceil(s / 60)} min` : `${Math.ceil(s / 3600)} h`;
}

/** About how long: `20 s`, `3 min`, `2 h`. */
export function roughly(s: number): string {
  if (s < 60) return `${Math.max(10, Math.ceil(s / 10) * 10)} s`;
  return s < 5400 ? `${Math.round(s / 60)} min` : `${+(s / 3600).toFixed(1)} h`;
}

/** A whole number with its thousands apart. */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** A name for a narrow column: the first name is cut to its letter. */
export function shortName(name: string): string {
  const [first = '', ...rest] = name.trim().split(/\s+/);
  return rest.length === 0 ? first : `${[...first][0] ?? ''}. ${rest.join(' ')}`;
}

export function gear(value: Maybe): string {
  if (!known(value)) return DASH;
  return value < 0 ? 'R' : value === 0 ? 'N' : String(value);
}

const COMPOUNDS = ['Soft', 'Medium', 'Hard', 'Wet', 'Inter'] as const;

export function compound(value: Maybe): string {
  return known(value) ? (COMPOUNDS[value] ?? DASH) : DASH;
}

export const GAMES: Record<Game, string> = { lmu: 'Le Mans Ultimate', f1: 'F1', rf2: 'rFactor 2' };

const KINDS: Record<SessionKind, string> = {
  test_day: 'Test day',
  practice: 'Practice',
  qualifying: 'Qualifying',
  warmup: 'Warm-up',
  race: 'Race',
  time_trial: 'Time trial',
  unknown: 'Session',
};

export function sessionKind(kind: SessionKind, number: number | null = null): string {
  return number !== null && number > 0 && kind !== 'unknown' ? `${KINDS[kind]} ${number}` : KINDS[kind];
}

export const PHASES: Record<Phase, string> = {
  before: 'Not started',
  formation: 'Formation',
  green: 'Green',
  full_course_yellow: 'Full-course yellow',
  virtual_safety_car: 'Virtual safety car',
  stopped: 'Red flag',
  over: 'Chequered flag',
  paused: 'Paused',
};

export const PITS: Record<PitState, string> = {
  track: '',
  requested: 'Req',
  entering: 'In',
  stopped: 'Box',
  exiting: 'Out',
  garage: 'Gar',
};

export const END_REASONS: Record<EndReason, string> = {
  left: 'the driver left it',
  game_closed: 'the game was closed',
  agent_stopped: 'the agent was stopped',
};

export const AREAS: Record<SetupArea, string> = {
  power_unit: 'Power unit',
  driveline: 'Driveline',
  brakes: 'Brakes',
  aero: 'Aero',
  suspension: 'Suspension',
  tyres: 'Tyres',
  alignment: 'Alignment',
  other: 'Other',
};

export const TOPICS: Record<NoteTopic, string> = {
  incident: 'Incident',
  penalty: 'Penalty',
  track_limits: 'Track limits',
  other: 'Note',
};

export interface ClassMark {
  /** Suffix of the class's colour tokens. */
  token: 'hypercar' | 'lmp2' | 'lmp2-elms' | 'lmp3' | 'lmgt3' | 'gte' | 'other';
  /** Short name for a narrow column. */
  short: string;
}

/** The colour and the short name of a class, from the name that the game gives it. */
export function classMark(name: string | null): ClassMark {
  const text = (name ?? '').toLowerCase().replaceAll(/[\s_-]/g, '');
  if (/hyper|lmh|lmdh/.test(text)) return { token: 'hypercar', short: 'HYP' };
  if (text.includes('p2')) return { token: text.includes('elms') ? 'lmp2-elms' : 'lmp2', short: 'P2' };
  if (text.includes('p3')) return { token: 'lmp3', short: 'P3' };
  if (text.includes('gt3')) return { token: 'lmgt3', short: 'GT3' };
  if (text.includes('gte')) return { token: 'gte', short: 'GTE' };
  return { token: 'other', short: name === null || name === '' ? DASH : name.slice(0, 4).toUpperCase() };
}
