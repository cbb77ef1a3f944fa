import { describe, expect, it } from 'vitest';
import { ApiError, Client } from '../../api/client.ts';
import type { AuditEntry, AuditPage } from '../../api/types.ts';
import { AuditLog, NO_FILTER, askedFor, choices, filterOf } from './audit.svelte.ts';

const entry = (id: string, over: Partial<AuditEntry> = {}): AuditEntry => ({
  id,
  at: '2026-11-20T12:00:00Z',
  actor_kind: 'person',
  actor_id: 'p',
  actor_name: 'Lena',
  action: 'rig.added',
  subject_kind: null,
  subject_id: null,
  subject_name: null,
  detail: {},
  address: '203.0.113.7',
  trace: 't',
  ...over,
});

/** A service that answers when it is told to; `asked` are the queries. */
function service() {
  const asked: string[] = [];
  const waiting: ((answer: Response) => void)[] = [];
  const api = new Client((input, init) => {
    asked.push(String(input).split('?')[1] ?? '');
    return new Promise((resolve, reject) => {
      waiting.push(resolve);
      init?.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
    });
  });
  const answer = (entries: AuditEntry[], next: string | null = null) =>
    waiting.shift()?.(Response.json({ entries, next } satisfies AuditPage));
  return { api, asked, waiting, answer };
}

describe('the filter', () => {
  it('is what the address says', () => {
    expect(filterOf('?person=p&kind=rig.added&x=1')).toEqual({ ...NO_FILTER, person: 'p', kind: 'rig.added' });
  });

  it('asks for whole days of who looks, the last one included', () => {
    const query = askedFor({ person: 'p', kind: 'rig.added', from: '2026-11-19', to: '2026-11-20' });
    expect([query.get('actor'), query.get('action')]).toEqual(['p', 'rig.added']);
    expect(query.get('from')).toBe(new Date(2026, 10, 19).toISOString());
    expect(query.get('to')).toBe(new Date(2026, 10, 21).toISOString());
    expect([...askedFor({ ...NO_FILTER, from: 'x', to: '2026-11' })]).toEqual([]);
  });
});

describe('the log', () => {
  it('is read page by page to its end', async () => {
    const { api, asked, answer } = service();
    const log = new AuditLog(api, 't');
    const first = log.show({ ...NO_FILTER, kind: 'rig.added' });
    answer([entry('b')], 'b');
    await first;
    const second = log.more();
    answer([entry('a')]);
    await second;
    await log.more();
    expect(asked).toEqual(['action=rig.added', 'action=rig.added&before=b']);
    expect([log.entries.map(({ id }) => id), log.next, log.loaded]).toEqual([['b', 'a'], null, true]);
  });

  it('drops a page that comes after another filter was chosen', async () => {
    const { api, answer, waiting } = service();
    const log = new AuditLog(api, 't');
    const slow = log.show(NO_FILTER);
    const quick = log.show({ ...NO_FILTER, person: 'p' });
    waiting.shift();
    answer([entry('new')]);
    await Promise.all([slow, quick]);
    expect([log.entries.map(({ id }) => id), log.busy, log.problem]).toEqual([['new'], false, null]);
  });

  it('says what went wrong, and reads on from there', async () => {
    const { api, answer, waiting } = service();
    const log = new AuditLog(api, 't');
    const failed = log.show(NO_FILTER);
    waiting.shift()?.(Response.json({ error: { code: 'unavailable', message: 'no' } }, { status: 503 }));
    await failed;
    expect([log.problem, log.loaded]).toEqual([expect.any(ApiError), false]);
    const again = log.more();
    answer([entry('a')]);
    await again;
    expect([log.problem, log.loaded]).toEqual([null, true]);
  });
});

describe('the people to choose from', () => {
  it('are those of all entries that were shown, under whatever filter', async () => {
    const { api, answer } = service();
    const log = new AuditLog(api, 't');
    const first = log.show(NO_FILTER);
    answer([
      entry('o', { actor_kind: 'operator', actor_id: null, actor_name: null }),
      entry('r', { subject_kind: 'person', subject_id: 'm', subject_name: 'Max' }),
      entry('n', { actor_id: 'q', actor_name: null }),
    ]);
    await first;
    const second = log.show({ ...NO_FILTER, kind: 'rig.deleted' });
    answer([]);
    await second;
    expect([...log.people]).toEqual([
      ['p', 'Lena'],
      ['m', 'Max'],
      ['q', 'An account that is no more'],
    ]);
  });

  it('are sorted by name, with the members as they are called now and the one who is chosen', () => {
    const seen = new Map([
      ['p', 'Lena before'],
      ['m', 'Max'],
    ]);
    expect(choices([{ user: 'p', name: 'Lena' }], seen, 'm')).toEqual([
      ['p', 'Lena'],
      ['m', 'Max'],
    ]);
    expect(choices([], new Map(), 'x')).toEqual([['x', 'Somebody who is not in the team']]);
    expect(choices([], new Map(), '')).toEqual([]);
  });
});
