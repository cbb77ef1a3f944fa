/** Setups side by side. */
import type { Corner, Setup, SetupArea, SetupItem } from '../../protocol.gen.ts';

export interface SetupCell {
  text: string;
  /** What it was before, where it was something else. */
  before: string | null;
}

/** A setting, with its value or its value at each corner. */
export interface SetupRow {
  label: string;
  single: SetupCell | null;
  corners: Partial<Record<Corner, SetupCell>>;
  changed: boolean;
}

export interface SetupGroup {
  area: SetupArea;
  rows: SetupRow[];
  changes: number;
}

/** Whether they hold the same items: key and text decide. */
export function sameSetup(a: Setup, b: Setup): boolean {
  if (a.items.length !== b.items.length) return false;
  const texts = new Map(a.items.map((item) => [item.key, item.text]));
  return b.items.every((item) => texts.get(item.key) === item.text);
}

/** A setup for display: by area, one row per setting, with what differs from the setup before. */
export function groupSetup(setup: Setup, previous: Setup | null): SetupGroup[] {
  const before = new Map(previous?.items.map((item) => [item.key, item.text]));
  const groups = new Map<SetupArea, Map<string, SetupRow>>();
  for (const item of setup.items) {
    const rows = groups.get(item.area) ?? new Map<string, SetupRow>();
    groups.set(item.area, rows);
    place(rows, item, cell(item, previous === null ? undefined : before.get(item.key), previous !== null));
  }
  return Array.from(groups, ([area, rows]) => {
    const list = [...rows.values()];
    return { area, rows: list, changes: list.filter((row) => row.changed).length };
  });
}

function cell(item: SetupItem, was: string | undefined, compared: boolean): SetupCell {
  return { text: item.text, before: compared && was !== item.text ? (was ?? '—') : null };
}

function place(rows: Map<string, SetupRow>, item: SetupItem, cell: SetupCell): void {
  const corner = item.corner ?? null;
  // Two settings without a corner may share their name; each keeps its own row.
  const id = corner === null ? `${item.label}\n${item.key}` : item.label;
  const row = rows.get(id) ?? { label: item.label, single: null, corners: {}, changed: false };
  rows.set(id, row);
  if (corner === null) row.single = cell;
  else row.corners[corner] = cell;
  row.changed ||= cell.before !== null;
}
