import { describe, expect, it } from 'vitest';
import { ApiError, Client } from '../../api/client.ts';
import type { Invitation, Member } from '../../api/types.ts';
import { Invitations } from './invitations.svelte.ts';
import { Join, wrongWith } from './join.svelte.ts';
import { isOnlyOwner } from './members.svelte.ts';
import { TeamItself, exportName, isWhole } from './team-itself.svelte.ts';

const member = (user: string, role: Member['role']): Member => ({
  user,
  role,
  name: user,
  email: null,
  joined_at: '2026-11-20T12:00:00Z',
});
/** Answers every request with the same. */
const always = (answer: () => Response) => new Client(() => Promise.resolve(answer()));

it('knows the only owner', () => {
  expect(isOnlyOwner([member('a', 'owner'), member('b', 'engineer')], 'a')).toBe(true);
  expect(isOnlyOwner([member('a', 'owner'), member('b', 'owner')], 'a')).toBe(false);
  expect(isOnlyOwner([member('a', 'owner'), member('b', 'engineer')], 'b')).toBe(false);
  expect(isOnlyOwner(null, 'a')).toBe(false);
});

describe('an export', () => {
  const lines = (...texts: string[]) => new Blob([texts.map((text) => `${text}\n`).join('')]);

  it('is whole when its last line says so', async () => {
    expect(await isWhole(lines('{"table":"teams","row":{}}', '{"table":"end","rows":1}'))).toBe(true);
    expect(await isWhole(lines('{"table":"teams","row":{}}'))).toBe(false);
    expect(await isWhole(lines('{"table":"teams","row":{}}', '{"table":"en'))).toBe(false);
    expect(await isWhole(new Blob([]))).toBe(false);
    expect(await isWhole(lines('x'.repeat(5000), '{"table":"end","rows":1}'))).toBe(true);
  });

  it('that broke off is not taken for one', async () => {
    const itself = new TeamItself(
      always(() => new Response('{"table":"teams","row":{}}\n')),
      't',
      () => Promise.resolve(),
    );
    await expect(itself.export()).rejects.toThrow(/broke off/);
  });

  it('is named after team and day', () => {
    const day = new Date('2026-11-20T12:00:00Z');
    expect(exportName('Großer Preis / Racing!', day)).toBe('großer-preis-racing-2026-11-20.ndjson');
    expect(exportName('…', day)).toBe('team-2026-11-20.ndjson');
  });
});

it('tells open invitations from those that are over', async () => {
  const one = (id: string, state: Invitation['state']): Invitation => ({
    id,
    state,
    role: 'driver',
    email: null,
    made_by: null,
    created_at: '',
    expires_at: '',
  });
  const list = new Invitations(
    always(() => Response.json([one('a', 'open'), one('b', 'accepted'), one('c', 'expired'), one('d', 'revoked')])),
    't',
  );
  await list.load();
  expect([list.open.map(({ id }) => id), list.past.map(({ id }) => id)]).toEqual([['a'], ['b', 'c', 'd']]);
});

describe('an invitation that was opened', () => {
  const error = (status: number, code: string, message: string) =>
    always(() => Response.json({ error: { code, message, trace: 't' } }, { status }));

  it('says in its own words why it cannot be taken', async () => {
    const titles = [];
    for (const [status, code] of [
      [422, 'invalid'],
      [404, 'not_found'],
      [409, 'conflict'],
      [429, 'rate_limited'],
    ] as const) {
      const join = new Join(error(status, code, 'no'), 's');
      await join.load();
      titles.push(join.problem === null ? undefined : wrongWith(join.problem));
    }
    expect(titles).toEqual(['This link is not whole', 'There is no such invitation', 'This invitation is over', null]);
  });

  it('is not joined where the service refuses', async () => {
    const join = new Join(error(403, 'forbidden', 'for another address'), 's');
    expect(await join.accept()).toBeNull();
    expect([join.refusal, join.busy]).toEqual([expect.any(ApiError), false]);
  });
});
