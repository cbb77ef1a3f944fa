/**
 * The samples of a stretch of time as a rolling chart draws them: over seconds before the playhead, with a row of nothing
 * in each gap, so that no line goes across.
 */
import { type SampleSource, indexAt } from '../live/source.ts';
import type { Stretch } from '../live/stretch.ts';

export type Rows = [Float64Array, ...(number | null)[][]];

/** A stretch over the same seconds, and what it is. */
export interface Band {
  fromS: number;
  toS: number;
  /** The whole stretch, though only a part of it may be in the window. */
  whole: Stretch;
  kind: 'missing' | 'paused' | 'late';
}

/** Samples up to `index`, at most `windowS` seconds before the playhead. */
export function rowsOf(
  source: SampleSource,
  index: number,
  playheadMs: number,
  windowS: number,
  channels: readonly number[],
): Rows {
  const startMs = playheadMs - windowS * 1000;
  const from = indexAt(source, startMs) + 1;
  const gaps = source.gaps.filter((gap) => gap.toMs > startMs && gap.fromMs >= startMs && gap.toMs <= playheadMs);
  const most = Math.max(0, index - from + 1 + gaps.length);
  const xs = new Float64Array(most);
  const columns = channels.map(() => new Array<number | null>(most).fill(null));
  let row = 0;
  let gap = 0;
  for (let i = from; i <= index; i += 1) {
    const time = source.time(i);
    const before = gaps[gap];
    if (before !== undefined && before.toMs <= time) {
      xs[row] = ((before.fromMs + before.toMs) / 2 - playheadMs) / 1000;
      [row, gap] = [row + 1, gap + 1];
    }
    xs[row] = (time - playheadMs) / 1000;
    channels.forEach((channel, c) => {
      const value = source.value(channel, i);
      const column = columns[c];
      if (column !== undefined && !Number.isNaN(value)) column[row] = value;
    });
    row += 1;
  }
  return row === most ? [xs, ...columns] : [xs.slice(0, row), ...columns.map((column) => column.slice(0, row))];
}

/** What is to be seen behind the lines. */
export function bandsOf(source: SampleSource, playheadMs: number, windowS: number): Band[] {
  const startMs = playheadMs - windowS * 1000;
  const all = [...source.gaps, ...source.late.map((stretch) => ({ ...stretch, kind: 'late' as const }))];
  return all
    .filter((stretch) => stretch.toMs > startMs && stretch.fromMs < playheadMs)
    .map(({ fromMs, toMs, kind }) => ({
      fromS: Math.max(-windowS, (fromMs - playheadMs) / 1000),
      toS: Math.min(0, (toMs - playheadMs) / 1000),
      whole: { fromMs, toMs },
      kind,
    }));
}
