import { expect, it } from 'vitest';
import { ApiError } from '../../api/client.ts';
import { LogIn } from './log-in.svelte.ts';

/** A service that gives these answers in turn, and what it was asked. */
function service(...answers: unknown[]) {
  const asked: [string, unknown][] = [];
  const post = <T>(path: string, body?: unknown): Promise<T> => {
    asked.push([path, body]);
    const answer = answers.shift();
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as T);
  };
  return { asked, api: { post } };
}
const me = { user: { name: 'Ingrid' }, teams: [] };

it('is done with the password where there is no second factor', async () => {
  const { api, asked } = service(me);
  const logIn = new LogIn(api);
  expect(await logIn.withPassword(' i@x.org ', 'secret words')).toBe(me);
  expect(asked).toEqual([['/api/auth/login', { email: 'i@x.org', password: 'secret words' }]]);
  expect(logIn.needsCode).toBe(false);
});

it('asks for a code, and sends it with what the first step gave', async () => {
  const wrong = new ApiError(422, 'invalid', 'Wrong.', 'code');
  const { api, asked } = service({ challenge: 'c' }, wrong, me);
  const logIn = new LogIn(api);
  expect(await logIn.withPassword('i@x.org', 'secret words')).toBe(null);
  await expect(logIn.withCode('000000')).rejects.toBe(wrong);
  expect(logIn.needsCode, 'a wrong code can be typed again').toBe(true);
  expect(await logIn.withCode(' 123456 ')).toBe(me);
  expect(asked.at(-1)).toEqual(['/api/auth/login/code', { challenge: 'c', code: '123456' }]);
});

it('begins again with the password where the code came too late', async () => {
  const { api } = service({ challenge: 'c' }, new ApiError(401, 'unauthenticated', 'Begin again.'));
  const logIn = new LogIn(api);
  await logIn.withPassword('i@x.org', 'secret words');
  await expect(logIn.withCode('123456')).rejects.toMatchObject({ status: 401 });
  expect(logIn.needsCode).toBe(false);
});
