import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SharedView } from '../../api/types.ts';
import type { Feed, FeedListener } from '../../live/feed.ts';
import { ShareClient, asShare } from './share-client.ts';
import { Visit } from './visit.svelte.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const view: SharedView = {
  team: 't',
  team_name: 'Ours',
  name: 'us',
  kind: 'team',
  session: null,
  rig: null,
  shows_history: false,
  shows_setup: false,
  delay_s: 30,
  expires_at: '2026-11-20T13:00:00Z',
};
let now: number;
let asked: { method: string; path: string; body: unknown }[];
let answers: { status: number; body: unknown }[];
let watched: string[][];
let listener: FeedListener;
let closed: number;

const error = (status: number, code: string, message: string, field?: string) => ({
  status,
  body: { error: { code, message, field, trace: 'x' } },
});
const wrongPassword = error(422, 'invalid', 'this is not the link’s password', 'password');
const ended = error(401, 'unauthenticated', 'this share link has ended');

function visit(secret: string | null): Visit {
  const fetcher = ((path: string, init?: RequestInit) => {
    asked.push({
      method: init?.method ?? 'GET',
      path,
      body: init?.body === undefined ? null : JSON.parse(init.body as string),
    });
    const answer = answers.shift();
    if (answer === undefined) return Promise.reject(new TypeError('no network'));
    return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status }));
  }) as typeof fetch;
  const feed = {
    serverNow: () => now - view.delay_s * 1000,
    listen: (one: FeedListener) => {
      listener = { ...listener, ...one };
      one.onLink?.('connecting', null);
      return () => undefined;
    },
    watch: (teams: string[]) => watched.push(teams),
    close: () => (closed += 1),
  } as unknown as Feed;
  return new Visit(secret, { api: new ShareClient(fetcher), openFeed: () => feed, now: () => now });
}
const overTitle = (one: Visit) => (one.stage.at === 'over' ? one.stage.title : null);

beforeEach(() => {
  vi.useFakeTimers();
  [now, asked, answers, watched, listener, closed] = [NOW, [], [], [], {}, 0];
  return () => vi.useRealTimers();
});

describe('Visit', () => {
  it('exchanges the secret, once, and watches the team as the link’s holder', async () => {
    answers = [{ status: 200, body: view }];
    const guest = visit('secret');
    await guest.open();
    expect(guest.stage).toEqual({ at: 'open', share: view });
    expect(asked).toEqual([{ method: 'POST', path: '/api/shares/open', body: { secret: 'secret', password: null } }]);
    expect(watched).toEqual([['t']]);
    expect([guest.can('t', 'see_live'), guest.can('t', 'see_setups'), guest.can('u', 'see_live')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([guest.can('t', 'manage_shares'), guest.session('t', 's')]).toEqual([false, null]);
    guest.leave();
  });

  it('goes on with the link that this browser has opened', async () => {
    answers = [{ status: 200, body: view }];
    const guest = visit(null);
    await guest.open();
    expect([guest.stage.at, asked[0]?.path]).toEqual(['open', '/api/shares/current']);
    guest.leave();
    answers = [ended, ended];
    const none = visit(null);
    await none.open();
    expect(overTitle(none)).toBe('No link is open here');
  });

  it('asks for the password where there is one, and says when it is wrong', async () => {
    answers = [
      error(422, 'invalid', 'this link needs a password', 'password'),
      wrongPassword,
      { status: 200, body: view },
    ];
    const guest = visit('secret');
    await guest.open();
    expect(guest.stage).toEqual({ at: 'locked' });
    await expect(guest.unlock('guess')).rejects.toMatchObject({ field: 'password' });
    expect(guest.stage).toEqual({ at: 'locked' });
    await guest.unlock('right');
    expect([guest.stage.at, asked.at(-1)?.body]).toEqual(['open', { secret: 'secret', password: 'right' }]);
    guest.leave();
  });

  it.each([
    [error(404, 'not_found', 'the team has revoked this share link: ask for another one'), /revoked/],
    [error(404, 'not_found', 'this share link has expired'), /expired/],
    [error(422, 'invalid', 'this is not a whole share link', 'secret'), /whole/],
  ])('says why a link does not open: $body.error.message', async (answer, text) => {
    answers = [answer];
    const guest = visit('secret');
    await guest.open();
    expect(guest.stage).toMatchObject({
      at: 'over',
      title: 'This link does not open',
      text: expect.stringMatching(text) as string,
    });
  });

  it('can be tried again where that helps', async () => {
    answers = [error(429, 'rate_limited', 'too many links opened from this address: try again in 2 s')];
    const guest = visit('secret');
    await guest.open();
    expect(guest.stage).toMatchObject({ at: 'failed', problem: { status: 429 } });
    await guest.open();
    expect(guest.stage).toMatchObject({ at: 'failed', problem: { code: 'unreachable' } });
  });

  it('says at once that it was revoked, whatever is shown', async () => {
    answers = [{ status: 200, body: view }];
    const guest = visit('secret');
    await guest.open();
    listener.onLink?.('stopped', 'this share link has ended');
    expect(overTitle(guest)).toBe('This link was revoked');
    expect([closed, guest.feed]).toEqual([1, null]);
  });

  it('finds out when its time has come, and calls that what it is', async () => {
    answers = [{ status: 200, body: view }, ended, ended];
    const guest = visit('secret');
    await guest.open();
    now = Date.parse(view.expires_at) + 1000;
    await vi.advanceTimersByTimeAsync(now - NOW);
    expect(overTitle(guest)).toBe('This link has expired');
  });

  it('counts down to the first picture with every connection', async () => {
    answers = [{ status: 200, body: view }];
    const guest = visit('secret');
    await guest.open();
    listener.onLink?.('open', null);
    expect(guest.wait.leftS).toBe(30);
    now += 10_000;
    await vi.advanceTimersByTimeAsync(1000);
    expect(guest.wait.leftS).toBe(20);
    guest.leave();
  });

  it('forgets the link when it is asked to', async () => {
    answers = [
      { status: 200, body: view },
      { status: 200, body: null },
    ];
    const guest = visit('secret');
    await guest.open();
    await guest.close();
    expect([overTitle(guest), asked.at(-1)?.path]).toEqual(['Closed', '/api/shares/close']);
  });
});

it('asks for a team’s data as the link’s holder', () => {
  expect(asShare('/api/teams/t/sessions')).toBe('/api/teams/t/sessions?as=share');
  expect(asShare('/api/teams/t/sessions?limit=5')).toBe('/api/teams/t/sessions?limit=5&as=share');
  expect(asShare('/api/shares/current')).toBe('/api/shares/current');
});
