import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { Connection, type Socket } from './connection.ts';
import type { FromWorker } from './messages.ts';

const SESSION = '01936b2e-7c40-7a11-9b5e-3f0d6c2a8e71';
const frame = new Uint8Array(
  readFileSync(new URL('../../../../protocol/tests/golden/accepted/driving.bin', import.meta.url)),
);
/** A batch after it: the sequence's first byte is the 25th. */
const after = (batches: number) => frame.map((byte, i) => (i === 24 ? byte + batches : byte));
const next = after(1);

const field = (n: number) =>
  new Uint8Array(
    readFileSync(new URL(`../../../../protocol/tests/golden/standings/race.${n}.bin`, import.meta.url)),
  ).slice().buffer;

class FakeSocket implements Socket {
  binaryType = '';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  closed = false;
  sent: unknown[] = [];
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
}

let sockets: FakeSocket[];
let posted: FromWorker[];
let timers: Map<number, { run: () => void; ms: number }>;
let now: number;
let connection: Connection;

const socket = (): FakeSocket => {
  const last = sockets.at(-1);
  if (last === undefined) throw new Error('no socket was opened');
  return last;
};
const ofType = (type: FromWorker['type']) => posted.filter((m) => m.type === type);
const runTimer = (): number => {
  expect(timers.size).toBe(1);
  const [[id, { run, ms }]] = [...timers] as [[number, { run: () => void; ms: number }]];
  timers.delete(id);
  run();
  return ms;
};
const lose = (code = 1006) => socket().onclose?.({ code, reason: '' });

beforeEach(() => {
  [sockets, posted, timers, now] = [[], [], new Map(), 0];
  let ids = 0;
  connection = new Connection({
    open: (_url, subprotocol) => {
      expect(subprotocol).toBe('onelap.viewer.v1');
      sockets.push(new FakeSocket());
      return socket();
    },
    post: (message) => posted.push(message),
    setTimer: (run, ms) => {
      timers.set((ids += 1), { run, ms });
      return ids;
    },
    clearTimer: (id) => timers.delete(id),
    random: () => 1,
    now: () => now,
  });
  connection.handle({ type: 'start', url: 'ws://here/api/live/ws', behindMs: 0 });
});

describe('Connection', () => {
  it('says what is wanted again on every connection', () => {
    connection.handle({ type: 'watch', teams: ['t'] });
    connection.handle({ type: 'show', team: 't', session: SESSION });
    const wanted = [
      { type: 'watch', team: 't' },
      { type: 'subscribe', team: 't', session: SESSION, max_hz: 20, after: null },
    ];
    socket().onopen?.();
    expect(socket().sent).toEqual(wanted);
    lose();
    expect(posted.at(-1)).toEqual({ type: 'link', link: 'reconnecting', why: null });
    runTimer();
    socket().onopen?.();
    expect(sockets.length).toBe(2);
    expect(socket().sent).toEqual(wanted);
  });

  it('says what it has seen last when it comes back', () => {
    socket().onopen?.();
    connection.handle({ type: 'show', team: 't', session: SESSION });
    socket().onmessage?.({ data: frame.slice().buffer });
    lose();
    runTimer();
    socket().onopen?.();
    expect(socket().sent).toMatchObject([
      { type: 'subscribe', after: { epoch: expect.any(Number), sequence: expect.any(Number) } },
    ]);
  });

  it('unsubscribes from the session before and drops what still comes of it', () => {
    socket().onopen?.();
    connection.handle({ type: 'show', team: 't', session: SESSION });
    socket().onmessage?.({ data: frame.slice().buffer });
    connection.handle({ type: 'show', team: 't', session: 'other' });
    socket().onmessage?.({ data: frame.slice().buffer });
    socket().onmessage?.({ data: JSON.stringify({ type: 'ended', session: SESSION, reason: 'left' }) });
    expect(socket().sent.slice(1)).toEqual([
      { type: 'unsubscribe', session: SESSION },
      { type: 'subscribe', team: 't', session: 'other', max_hz: 20, after: null },
    ]);
    expect(ofType('samples').length).toBe(1);
    expect(ofType('message').length).toBe(0);
  });

  it('a bad frame costs that frame only', () => {
    socket().onopen?.();
    connection.handle({ type: 'show', team: 't', session: SESSION });
    socket().onmessage?.({ data: frame.slice(0, 40).buffer });
    socket().onmessage?.({ data: '{nonsense' });
    socket().onmessage?.({ data: frame.slice().buffer });
    expect(ofType('bad_frame')).toHaveLength(2);
    expect(ofType('samples')).toHaveLength(1);
    expect(socket().closed).toBe(false);
  });

  it('keeps the field up to date and asks for the whole where a frame does not apply, once in a while', () => {
    socket().onopen?.();
    connection.handle({ type: 'show', team: 't', session: SESSION });
    const subscribed = () => socket().sent.filter((m) => (m as { type: string }).type === 'subscribe').length;
    [field(1), field(2)].forEach((data) => socket().onmessage?.({ data }));
    expect(ofType('standings').map((m) => ('standings' in m ? [m.session, m.standings.cars.length] : null))).toEqual([
      [SESSION, 3],
      [SESSION, 3],
    ]);
    expect(subscribed()).toBe(1);
    now = 50_000;
    [field(4), field(5)].forEach((data) => socket().onmessage?.({ data }));
    expect([ofType('standings').length, ofType('bad_frame').length, subscribed()]).toEqual([2, 2, 2]);
    socket().onmessage?.({ data: field(1) });
    expect(ofType('standings')).toHaveLength(3);
    now += 10_000;
    socket().onmessage?.({ data: field(3) });
    expect(subscribed()).toBe(3);
    connection.handle({ type: 'show', team: 't', session: 'other' });
    socket().onmessage?.({ data: field(1) });
    expect(ofType('standings'), 'of a session that is not shown').toHaveLength(3);
  });

  it('waits longer after each failure and anew after a success', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 7].map(() => {
      lose();
      return runTimer();
    });
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    socket().onopen?.();
    socket().onmessage?.({ data: JSON.stringify({ type: 'hello', server_ms: 1, trace: 'x' }) });
    lose();
    expect(runTimer()).toBe(500);
  });

  it('asks for the login when a connection is refused, and goes on at once when it was renewed', () => {
    lose();
    expect(ofType('login_needed')).toHaveLength(1);
    connection.handle({ type: 'login', renewed: true });
    expect(runTimer()).toBe(0);
    expect(sockets.length).toBe(2);
    lose();
    connection.handle({ type: 'login', renewed: false });
    expect(posted.at(-1)).toMatchObject({ type: 'link', link: 'stopped' });
    expect(timers.size).toBe(0);
  });

  const goodbye = (ms: number | null) =>
    socket().onmessage?.({ data: JSON.stringify({ type: 'goodbye', reason: 'restart', reconnect_after_ms: ms }) });

  it('stays until the time that a goodbye names, then is made anew elsewhere without a word', () => {
    subscribed();
    goodbye(2000);
    socket().onmessage?.({ data: frame.slice().buffer });
    expect(ofType('samples')).toHaveLength(1);
    expect(socket().closed).toBe(false);
    expect(runTimer()).toBe(2500);
    expect(socket().closed).toBe(true);
    expect(runTimer()).toBe(0);
    expect(sockets.length).toBe(2);
    socket().onopen?.();
    expect(socket().sent.at(-1)).toMatchObject({ type: 'subscribe', after: { epoch: expect.any(Number) } });
    expect(posted.filter((m) => m.type === 'link').map((m) => m.link)).toEqual(['connecting', 'open', 'open']);
  });

  it('does as a goodbye says when the service closes after it', () => {
    socket().onopen?.();
    goodbye(2000);
    now = 500;
    lose(1012);
    expect(posted.at(-1)).toEqual({ type: 'link', link: 'reconnecting', why: 'restart' });
    expect(runTimer()).toBe(2000);
    socket().onopen?.();
    socket().onmessage?.({ data: JSON.stringify({ type: 'goodbye', reason: 'too old', reconnect_after_ms: null }) });
    lose(1000);
    expect(posted.at(-1)).toEqual({ type: 'link', link: 'stopped', why: 'too old' });
    expect(timers.size).toBe(0);
  });

  it('is made anew when the page wakes up on a silent connection', () => {
    socket().onopen?.();
    connection.handle({ type: 'wake' });
    expect(sockets.length).toBe(1);
    now = 60_000;
    connection.handle({ type: 'wake' });
    expect(socket().closed).toBe(true);
    runTimer();
    expect(sockets.length).toBe(2);
  });

  describe('of who sees everything later', () => {
    const say = (message: object) => socket().onmessage?.({ data: JSON.stringify(message) });
    const coming = (session: string) => say({ type: 'coming', team: 't', sessions: [{ rig: 'r', session }] });
    const show = () => connection.handle({ type: 'show', team: 't', session: SESSION });
    const subscribe = { type: 'subscribe', team: 't', session: SESSION, max_hz: 20, after: null };

    it('subscribes to a session before it is shown, and not again then', () => {
      socket().onopen?.();
      coming(SESSION);
      expect(socket().sent).toEqual([subscribe]);
      show();
      expect(socket().sent).toEqual([subscribe]);
      say({ type: 'snapshot', session: SESSION });
      socket().onmessage?.({ data: frame.slice().buffer });
      expect([ofType('samples').length, socket().sent.length]).toEqual([1, 1]);
    });

    it('asks once more where the snapshot came before it was shown', () => {
      socket().onopen?.();
      coming(SESSION);
      say({ type: 'snapshot', session: SESSION });
      show();
      socket().onmessage?.({ data: frame.slice().buffer });
      socket().onmessage?.({ data: next.slice().buffer });
      expect(socket().sent).toEqual([subscribe, subscribe]);
    });

    it('asks when it is shown where it was refused before, and on another connection', () => {
      socket().onopen?.();
      coming(SESSION);
      say({ type: 'refused', session: SESSION, code: 'not_found', message: 'no' });
      show();
      expect(socket().sent).toEqual([subscribe, subscribe]);
      lose();
      runTimer();
      socket().onopen?.();
      expect(socket().sent).toEqual([subscribe]);
    });

    it('keeps what is shown while the next is prepared', () => {
      socket().onopen?.();
      show();
      coming(SESSION);
      coming('next');
      expect(socket().sent).toEqual([subscribe, { ...subscribe, session: 'next' }]);
      connection.handle({ type: 'show', team: 't', session: 'next' });
      expect(socket().sent.slice(2)).toEqual([{ type: 'unsubscribe', session: SESSION }]);
    });
  });

  it('is left alone when it may be silent, because the service holds everything back', () => {
    connection.handle({ type: 'start', url: 'ws://here/api/live/ws?as=share', behindMs: 300_000 });
    socket().onopen?.();
    now = 300_000;
    connection.handle({ type: 'wake' });
    expect(socket().closed).toBe(false);
    now = 320_001;
    connection.handle({ type: 'wake' });
    expect(socket().closed).toBe(true);
  });

  const rates = () => socket().sent.map((m) => (m as { max_hz?: number }).max_hz);
  const subscribed = () => {
    socket().onopen?.();
    connection.handle({ type: 'show', team: 't', session: SESSION });
  };

  it('asks for once a second half a second after the page was hidden, and for all at once when it is seen again', () => {
    subscribed();
    connection.handle({ type: 'seen', seen: false });
    expect(rates()).toEqual([20]);
    expect(runTimer()).toBe(500);
    expect(rates()).toEqual([20, 1]);
    connection.handle({ type: 'seen', seen: true });
    expect(rates()).toEqual([20, 1, 20]);
  });

  it('asks for another rate without subscribing again', () => {
    subscribed();
    connection.handle({ type: 'rate', maxHz: 5 });
    expect(socket().sent.at(-1)).toEqual({ type: 'rate', session: SESSION, max_hz: 5 });
    connection.handle({ type: 'show', team: 't', session: null });
    connection.handle({ type: 'rate', maxHz: 2 });
    expect(socket().sent.at(-1)).toEqual({ type: 'unsubscribe', session: SESSION });
  });

  it('keeps the rate of a page that is hidden for a moment only', () => {
    subscribed();
    connection.handle({ type: 'seen', seen: false });
    connection.handle({ type: 'seen', seen: true });
    expect(timers.size).toBe(0);
    expect(rates()).toEqual([20]);
  });

  it('asks for another rate where one was chosen, and for none twice', () => {
    connection.handle({ type: 'rate', maxHz: 5 });
    subscribed();
    connection.handle({ type: 'rate', maxHz: 5 });
    connection.handle({ type: 'rate', maxHz: 2 });
    connection.handle({ type: 'seen', seen: true });
    expect(rates()).toEqual([5, 2]);
  });

  it('stays at the lower rate over a reconnect while it is hidden', () => {
    subscribed();
    connection.handle({ type: 'seen', seen: false });
    runTimer();
    lose();
    runTimer();
    socket().onopen?.();
    expect(rates()).toEqual([1]);
    connection.handle({ type: 'seen', seen: true });
    expect(rates()).toEqual([1, 20]);
  });

  it('shows the batch once that comes again with each snapshot', () => {
    subscribed();
    socket().onmessage?.({ data: frame.slice().buffer });
    socket().onmessage?.({ data: frame.slice().buffer });
    expect(ofType('samples')).toHaveLength(1);
    connection.handle({ type: 'show', team: 't', session: null });
    connection.handle({ type: 'show', team: 't', session: SESSION });
    socket().onmessage?.({ data: frame.slice().buffer });
    expect(ofType('samples')).toHaveLength(2);
  });

  it('decodes what the API gave, and says what is wrong with it', () => {
    connection.handle({ type: 'decode', id: 7, bytes: frame.slice() });
    connection.handle({ type: 'decode', id: 8, bytes: frame.slice(0, 30) });
    const [good, bad] = ofType('decoded') as Extract<FromWorker, { type: 'decoded' }>[];
    expect([good?.id, good?.batch?.session, good?.why]).toEqual([7, SESSION, null]);
    expect([bad?.id, bad?.batch]).toEqual([8, null]);
    expect(bad?.why).toMatch(/cut short/);
  });

  it('makes a connection anew that goes silent while batches were coming', () => {
    subscribed();
    socket().onmessage?.({ data: frame.slice().buffer });
    now = 60_000;
    connection.check();
    expect(sockets.length).toBe(1);
    now = 0;
    socket().onmessage?.({ data: next.slice().buffer });
    now = 8000;
    connection.check();
    expect(sockets.length).toBe(1);
    now = 8001;
    connection.check();
    expect(socket().closed).toBe(true);
    expect(runTimer()).toBe(0);
    socket().onopen?.();
    socket().onmessage?.({ data: next.slice().buffer });
    now = 60_000;
    connection.check();
    expect(sockets.length).toBe(2);
  });

  it('is patient where it was told why no batches come', () => {
    const rig = { rig: 'r', session: SESSION, connected: true };
    const rigs = (state: string) => JSON.stringify({ type: 'rigs', team: 't', rigs: [{ ...rig, state }] });
    subscribed();
    for (const batch of [frame, next]) socket().onmessage?.({ data: batch.slice().buffer });
    socket().onmessage?.({ data: rigs('paused') });
    now = 60_000;
    connection.check();
    expect(socket().closed).toBe(false);
    for (const batch of [after(2), after(3)]) socket().onmessage?.({ data: batch.slice().buffer });
    socket().onmessage?.({ data: rigs('on_track') });
    now = 120_000;
    connection.check();
    expect(socket().closed).toBe(true);
  });
});
