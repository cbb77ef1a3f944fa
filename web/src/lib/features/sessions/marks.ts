/**
 * Which times are best: purple for the best of the class, green for the own best.
 *
 * Only laps that the game counts can be best.
 */
import type { Lap } from '../../protocol.gen.ts';

export type Mark = 'class' | 'own' | 'slower' | null;

export interface Bests {
  lapMs: number | null;
  sectorsMs: [number | null, number | null, number | null];
}

type Timed = Pick<Lap, 'time_ms' | 'valid'> & { sectors_ms: readonly (number | null)[] };

function least(times: (number | null | undefined)[]): number | null {
  const known = times.filter((t) => t !== null && t !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}

/** The best of some laps. */
export function bestsOf(laps: readonly Timed[]): Bests {
  const counted = laps.filter((lap) => lap.valid !== false);
  const sector = (i: 0 | 1 | 2) => least(counted.map((lap) => lap.sectors_ms[i]));
  return { lapMs: least(counted.map((lap) => lap.time_ms)), sectorsMs: [sector(0), sector(1), sector(2)] };
}

/** The best lap of a class from each car's best. */
export function classBest(
  cars: readonly { class: string | null; best: number | null }[],
  name: string | null,
): number | null {
  return least(cars.filter((car) => car.class === name).map((car) => car.best));
}

/** As `markOf`, with what is slower than the own best said too: for the one lap or sector that is looked at. */
export function compareOf(time: number | null, own: number | null, ofClass: number | null): Mark {
  const mark = markOf(time, null, own, ofClass);
  return mark === null && time !== null && own !== null ? 'slower' : mark;
}

/** How a time is marked, given the own best and the best of the class. */
export function markOf(time: number | null, valid: boolean | null, own: number | null, ofClass: number | null): Mark {
  if (time === null || valid === false || own === null || time > own) return null;
  return ofClass !== null && time <= ofClass ? 'class' : 'own';
}

/** What to say between two rows of laps: those that are missing; null where none are. */
export function lapsBetween(later: number | undefined, earlier: number | undefined): string | null {
  if (later === undefined || earlier === undefined || later - earlier < 2) return null;
  const [first, last] = [earlier + 1, later - 1];
  return first === last ? `lap ${first}: no data` : `laps ${first}–${last}: no data`;
}
