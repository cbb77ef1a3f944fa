import { expect, it } from 'vitest';
import { ApiError } from '../../api/client.ts';
import type { Login } from '../../api/types.ts';
import { Logins } from './logins.svelte.ts';

const login = (id: string, is_this = false): Login => ({
  id,
  is_this,
  device: 'Firefox on Linux',
  address: '10.0.0.x',
  created_at: '2026-01-01T00:00:00Z',
  last_used_at: '2026-01-01T00:00:00Z',
});

/** A service that has these log-ins; `refuse` is what it answers to the next change. */
function service(list: Login[], refuse?: ApiError) {
  const asked: string[] = [];
  const remove = <T>(path: string): Promise<T> => {
    asked.push(path);
    if (refuse !== undefined) return Promise.reject(refuse);
    const id = path.split('/').at(-1);
    list = list.filter((login) => (id === 'logins' ? login.is_this : login.id !== id));
    return Promise.resolve(undefined as T);
  };
  return { asked, api: { get: <T>() => Promise.resolve(list as T), delete: remove } };
}

it('lists this browser first, and counts the others', async () => {
  const logins = new Logins(service([login('a'), login('b', true), login('c')]).api);
  expect(logins.others).toBe(0);
  await logins.load();
  expect(logins.list?.map(({ id }) => id)).toEqual(['b', 'a', 'c']);
  expect(logins.others).toBe(2);
});

it('ends one, and all others', async () => {
  const { api, asked } = service([login('a'), login('b', true), login('c')]);
  const logins = new Logins(api);
  await logins.load();
  await logins.end('c');
  expect(logins.list?.map(({ id }) => id)).toEqual(['b', 'a']);
  await logins.endOthers();
  expect(logins.list?.map(({ id }) => id)).toEqual(['b']);
  expect(asked).toEqual(['/api/me/logins/c', '/api/me/logins']);
});

it('is content where one has ended by itself, and says what else went wrong', async () => {
  const gone = new Logins(service([login('b', true)], new ApiError(404, 'not_found', 'No such.')).api);
  await gone.end('x');
  expect([gone.problem, gone.list?.length]).toEqual([null, 1]);
  const away = new Logins(service([], new ApiError(503, 'unavailable', 'Away.')).api);
  await away.end('x');
  expect([away.problem?.message, away.ending]).toEqual(['Away.', null]);
});
