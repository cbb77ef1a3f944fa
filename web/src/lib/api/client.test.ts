import { describe, expect, it } from 'vitest';
import { ApiError, Client } from './client.ts';

type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | Error;

/** A client whose service gives these answers in turn, and what was asked. */
function client(answers: Answer[]) {
  const asked: string[] = [];
  const fetcher = async (path: string | URL | Request, init?: RequestInit) => {
    asked.push(`${init?.method} ${String(path)}`);
    await Promise.resolve();
    const answer = answers.shift();
    if (answer === undefined) throw new Error('not expected');
    if (answer instanceof Error) throw answer;
    const { status, body, headers = {} } = answer;
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers });
  };
  return { asked, client: new Client(fetcher as typeof fetch) };
}
const unconfirmed = { status: 403, body: { error: { code: 'confirm_required', message: 'confirm', trace: 't' } } };
const expired = { status: 401, body: { error: { code: 'unauthenticated', message: 'log in first', trace: 't' } } };

describe('Client', () => {
  it('renews the login once and asks again', async () => {
    const { asked, client: api } = client([expired, { status: 204 }, { status: 200, body: { ok: 1 } }]);
    expect(await api.get('/api/me')).toEqual({ ok: 1 });
    expect(asked).toEqual(['GET /api/me', 'POST /api/auth/refresh', 'GET /api/me']);
  });

  it('several requests share one renewal', async () => {
    const ok = { status: 200, body: {} };
    const { asked, client: api } = client([expired, expired, { status: 204 }, ok, ok]);
    await Promise.all([api.get('/api/a'), api.get('/api/b')]);
    expect(asked.filter((path) => path.endsWith('refresh'))).toHaveLength(1);
  });

  it('says that the login is gone when it cannot be renewed', async () => {
    const { client: api } = client([expired, expired]);
    let told = 0;
    api.onLoggedOut = () => (told += 1);
    await expect(api.get('/api/me')).rejects.toMatchObject({ status: 401 });
    expect(told).toBe(1);
  });

  it('does not call a service that is away a log-out', async () => {
    const { client: api } = client([expired, new TypeError('failed to fetch')]);
    api.onLoggedOut = () => expect.unreachable();
    await expect(api.get('/api/me')).rejects.toMatchObject({ code: 'unreachable' });
    const other = client([expired, { status: 503 }]);
    await expect(other.client.get('/api/me')).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('a wrong password is an answer, not an expired login', async () => {
    const { asked, client: api } = client([expired]);
    await expect(api.post('/api/auth/login', {})).rejects.toMatchObject({ status: 401, message: 'Log in first.' });
    expect(asked).toHaveLength(1);
  });

  it('keeps field and trace of an error, and survives one that is no JSON', async () => {
    const invalid = { error: { code: 'invalid', message: 'too short', field: 'password', trace: 'abc' } };
    const { client: api } = client([{ status: 422, body: invalid }, { status: 502 }]);
    await expect(api.post('/api/x')).rejects.toEqual(new ApiError(422, 'invalid', 'Too short.', 'password', 'abc'));
    await expect(api.get('/api/x')).rejects.toMatchObject({ code: 'unavailable', status: 502 });
  });

  it('asks for the password where the service wants it, once for all that wait, and asks again', async () => {
    const { asked, client: api } = client([unconfirmed, unconfirmed, { status: 204 }, { status: 204 }]);
    let questions = 0;
    api.onConfirm = () => ((questions += 1), Promise.resolve(true));
    await Promise.all([api.post('/api/a'), api.put('/api/b', {})]);
    expect(questions).toBe(1);
    expect(asked).toEqual(['POST /api/a', 'PUT /api/b', 'POST /api/a', 'PUT /api/b']);
  });

  it('does nothing more where the person would rather not show the password', async () => {
    const { asked, client: api } = client([unconfirmed]);
    api.onConfirm = () => Promise.resolve(false);
    await expect(api.delete('/api/a')).rejects.toMatchObject({ code: 'confirm_required', status: 403 });
    expect(asked).toHaveLength(1);
  });

  it('says how long to wait, in words', async () => {
    const body = { error: { code: 'rate_limited', message: 'too many codes: try again in 3540 s', trace: 't' } };
    const { client: api } = client([{ status: 429, body, headers: { 'retry-after': '3540' } }]);
    await expect(api.post('/api/x')).rejects.toMatchObject({
      message: 'Too many codes: try again in 59 min.',
      retryAfterS: 3540,
    });
  });

  it('gives a file the name that the service gives it', async () => {
    const headers = { 'content-disposition': 'attachment; filename="1lap-account.json"' };
    const { client: api } = client([
      { status: 200, body: {}, headers },
      { status: 200, body: {} },
    ]);
    expect((await api.file('/api/me/export')).name).toBe('1lap-account.json');
    expect((await api.file('/api/x')).name).toBe('download');
  });
});
