/**
 * A team's audit log, newest first, page by page, as far as a filter lets it through.
 *
 * Invariants: a page that comes after another filter was chosen is dropped; the filter is what the address says.
 */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { AuditEntry, AuditPage } from '../../api/types.ts';
import type { TeamId } from '../../protocol.gen.ts';

/** What is chosen; empty for anything. Days are those of who looks. */
export interface AuditFilter {
  person: string;
  kind: string;
  /** First day, `2026-11-20`. */
  from: string;
  /** Last day. */
  to: string;
}

export const NO_FILTER: AuditFilter = { person: '', kind: '', from: '', to: '' };

/** The filter that an address's query names. */
export function filterOf(search: string): AuditFilter {
  const query = new URLSearchParams(search);
  const of = (name: keyof AuditFilter) => query.get(name) ?? '';
  return { person: of('person'), kind: of('kind'), from: of('from'), to: of('to') };
}

/** The same for the service: days become moments. */
export function askedFor(filter: AuditFilter): URLSearchParams {
  const query = new URLSearchParams();
  if (filter.person !== '') query.set('actor', filter.person);
  if (filter.kind !== '') query.set('action', filter.kind);
  const [from, to] = [midnight(filter.from, 0), midnight(filter.to, 1)];
  if (from !== null) query.set('from', from);
  if (to !== null) query.set('to', to);
  return query;
}

/** The beginning of a day, or of one after it, where the reader is; what is no day is none. */
function midnight(day: string, later: number): string | null {
  const [year, month, date] = day.split('-').map(Number);
  if (year === undefined || month === undefined || date === undefined) return null;
  const at = new Date(year, month - 1, date + later);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

export class AuditLog {
  entries: readonly AuditEntry[] = $state.raw([]);
  /** Where the next page begins; null at the end. */
  next: string | null = $state(null);
  loaded = $state(false);
  busy = $state(false);
  problem: ApiError | null = $state.raw(null);
  /** People of entries that were shown, under whatever filter: also those who are in the team no more. */
  people: ReadonlyMap<string, string> = $state.raw(new Map());
  private filter = NO_FILTER;
  private reading: AbortController | null = null;

  constructor(
    private readonly api: Client,
    private readonly team: TeamId,
  ) {}

  /** Reads the first page that a filter lets through. */
  async show(filter: AuditFilter): Promise<void> {
    this.reading?.abort();
    this.filter = filter;
    [this.entries, this.next, this.loaded, this.busy] = [[], null, false, false];
    await this.more();
  }

  /** Reads the next page. */
  async more(): Promise<void> {
    if (this.busy || (this.loaded && this.next === null)) return;
    const reading = new AbortController();
    [this.reading, this.busy, this.problem] = [reading, true, null];
    try {
      const query = askedFor(this.filter);
      if (this.next !== null) query.set('before', this.next);
      const page = await this.api.get<AuditPage>(`${this.path}?${query}`, reading.signal);
      if (reading.signal.aborted) return;
      this.entries = [...this.entries, ...page.entries];
      this.people = new Map([...this.people, ...page.entries.flatMap(peopleOf)]);
      [this.next, this.loaded] = [page.next, true];
    } catch (error) {
      if (!reading.signal.aborted) this.problem = problemOf(error);
    } finally {
      if (!reading.signal.aborted) this.busy = false;
    }
  }

  /** What the filter lets through, as a file for a spreadsheet. */
  async csv(): Promise<Blob> {
    const query = askedFor(this.filter);
    query.set('format', 'csv');
    return (await this.api.file(`${this.path}/export?${query}`)).blob;
  }

  private get path(): string {
    return `/api/teams/${this.team}/audit`;
  }
}

type Person = [id: string, name: string];

/** Who did it, and whom it was done to. */
function peopleOf(entry: AuditEntry): Person[] {
  const { actor_kind, actor_id, actor_name, subject_kind, subject_id, subject_name } = entry;
  const actor: Person[] =
    actor_kind === 'person' && actor_id !== null ? [[actor_id, actor_name ?? 'An account that is no more']] : [];
  const subject: Person[] =
    subject_kind === 'person' && subject_id !== null && subject_name !== null ? [[subject_id, subject_name]] : [];
  return [...actor, ...subject];
}

/** People to choose from: those in the team now, those of entries that were shown, and the one who is chosen. */
export function choices(
  members: readonly { user: string; name: string }[],
  seen: ReadonlyMap<string, string>,
  chosen: string,
): Person[] {
  const people = new Map([...seen, ...members.map(({ user, name }): Person => [user, name])]);
  if (chosen !== '' && !people.has(chosen)) people.set(chosen, 'Somebody who is not in the team');
  return [...people].sort(([, a], [, b]) => a.localeCompare(b));
}
