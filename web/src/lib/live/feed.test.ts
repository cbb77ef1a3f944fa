import { beforeEach, describe, expect, it } from 'vitest';
import { Channel, type ViewMessage } from '../protocol.gen.ts';
import { type Batch, BatchError } from './batch.ts';
import { Stage } from './draw.ts';
import { Feed, type WorkerLike } from './feed.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const WALL = 1_800_000_000_000;
let now: number;
let asked: ToWorker[];
let worker: WorkerLike & { say(message: FromWorker): void };
let renewal: 'renewed' | 'logged_out' | 'unreachable';
let feed: Feed;

const samples = (at: number, speed: number, session = 's'): FromWorker => ({
  type: 'samples',
  session,
  epoch: 1,
  sequence: 1,
  times: Float64Array.of(at),
  channels: Uint16Array.of(Channel.Speed),
  values: Float64Array.of(speed),
});
const hello: ViewMessage = { type: 'hello', server_ms: WALL + 7000, trace: 't' };

beforeEach(() => {
  [now, asked, renewal] = [1000, [], 'renewed'];
  worker = {
    onmessage: null,
    postMessage: (message) => asked.push(message),
    terminate: () => undefined,
    say(message) {
      this.onmessage?.({ data: message } as MessageEvent<FromWorker>);
    },
  };
  feed = new Feed(
    worker,
    'ws://here',
    () => Promise.resolve(renewal),
    () => now,
    () => WALL + now,
  );
});

describe('Feed', () => {
  it('keeps samples of the shown session only', () => {
    feed.show('t', 's');
    worker.say(samples(WALL, 100, 'other'));
    expect(feed.ageMs()).toBeNull();
    worker.say(samples(WALL, 100));
    expect(feed.ring.latest(Channel.Speed)).toBe(100);
    feed.show('t', 'next');
    expect(feed.ring.length).toBe(0);
    expect(feed.ageMs()).toBeNull();
  });

  it('knows what its connection carries until there is another one', () => {
    worker.say({ type: 'message', message: { type: 'pace', max_hz: 2 } });
    expect(feed.carriedHz).toBe(2);
    worker.say({ type: 'message', message: { type: 'pace', max_hz: null } });
    expect(feed.carriedHz).toBeNull();
    worker.say({ type: 'message', message: { type: 'pace', max_hz: 1 } });
    worker.say({ type: 'link', link: 'reconnecting', why: null });
    expect(feed.carriedHz).toBeNull();
  });

  it('counts the age from the arrival of the last new sample', () => {
    feed.show('t', 's');
    worker.say(samples(WALL + 1000, 100));
    now += 4000;
    expect(feed.ageMs()).toBe(4000);
    worker.say(samples(WALL + 1000, 100));
    expect(feed.ageMs()).toBe(4000);
    worker.say(samples(WALL + 5000, 101));
    expect(feed.ageMs()).toBe(0);
  });

  it('lives in the past where the service holds everything back', () => {
    const renew = () => Promise.resolve(renewal);
    feed = new Feed(
      worker,
      'ws://here',
      renew,
      () => now,
      () => WALL + now,
      60_000,
    );
    expect(asked.at(-1)).toEqual({ type: 'start', url: 'ws://here', behindMs: 60_000 });
    feed.show('t', 's');
    expect(feed.serverNow()).toBe(WALL + now - 60_000);
    worker.say(samples(WALL + now - 60_000, 100));
    expect(feed.ageMs()).toBe(0);
  });

  it('does not take the last batch of a stream that stopped long ago for live', () => {
    now = 600_000;
    feed.show('t', 's');
    worker.say(samples(WALL, 100));
    expect(feed.ageMs()).toBe(600_000);
  });

  it('knows the clock of the service', () => {
    worker.say({ type: 'message', message: hello });
    expect(feed.serverNow()).toBe(WALL + 7000);
    now += 500;
    expect(feed.serverNow()).toBe(WALL + 7500);
  });

  it('renews the login for the socket, and keeps trying while the service is away', async () => {
    const answers = () => asked.filter((message) => message.type === 'login');
    for (const next of ['unreachable', 'renewed', 'logged_out'] as const) {
      renewal = next;
      worker.say({ type: 'login_needed' });
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(answers()).toEqual([
      { type: 'login', renewed: true },
      { type: 'login', renewed: false },
    ]);
  });

  it('tells a late listener how the connection is', () => {
    worker.say({ type: 'link', link: 'open', why: null });
    const heard: string[] = [];
    const stop = feed.listen({ onLink: (link) => heard.push(link) });
    stop();
    worker.say({ type: 'link', link: 'reconnecting', why: null });
    expect(heard).toEqual(['open']);
  });
});

describe('Feed, beside the samples', () => {
  it('has a trace decoded by the worker', async () => {
    const [good, bad] = [feed.decode(new Uint8Array(3)), feed.decode(new Uint8Array(4))];
    const batch = { ...samples(WALL, 1), opcode: 2 } as unknown as Batch;
    worker.say({ type: 'decoded', id: 2, batch: null, why: 'cut short' });
    worker.say({ type: 'decoded', id: 1, batch, why: null });
    await expect(good).resolves.toBe(batch);
    await expect(bad).rejects.toThrow(new BatchError('cut short'));
  });

  it('tells the worker when it is seen, and looks whether the connection still lives', () => {
    feed.see(false);
    feed.see(true);
    feed.askRate(5);
    expect(asked.slice(1)).toEqual([
      { type: 'seen', seen: false },
      { type: 'seen', seen: true },
      { type: 'wake' },
      { type: 'rate', maxHz: 5 },
    ]);
  });
});

describe('Stage', () => {
  it('draws all painters in one frame, writes only what changed, and rests without painters', () => {
    const requested: (() => void)[] = [];
    let cancelled = 0;
    const stage = new Stage(
      feed,
      (run) => requested.push(run),
      () => (cancelled += 1),
      () => now,
    );
    let writes = 0;
    const element = {
      set textContent(_: string) {
        writes += 1;
      },
    } as unknown as HTMLElement;
    feed.show('t', 's');
    const stop = stage.text(Channel.Speed, (v) => String(v))(element);
    const seen: number[] = [];
    const stopOther = stage.add(({ source, index }) => seen.push(source.value(Channel.Speed, index)));
    expect(requested).toHaveLength(1);
    worker.say(samples(WALL, 100));
    now += 1000;
    requested[0]?.();
    requested[1]?.();
    expect(seen).toEqual([100, 100]);
    expect(writes).toBe(1);
    stop();
    stopOther();
    expect(cancelled).toBe(1);
  });
});
