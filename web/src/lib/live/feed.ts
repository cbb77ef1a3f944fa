/**
 * The page's side of the live connection: starts the worker, keeps the shown session's samples in a ring, and hands
 * control messages to listeners.
 *
 * Invariants: one worker for the whole page; the ring holds samples of the shown session only.
 */
import type { SessionId, Standings, TeamId, ViewMessage } from '../protocol.gen.ts';
import { type Batch, BatchError } from './batch.ts';
import type { LinkState } from './condition.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { Playout } from './playout.ts';
import { FULL_HZ } from './rate.ts';
import { Ring } from './ring.ts';

/** Two minutes at 60 Hz, six at 20 Hz. */
const RING_SAMPLES = 7200;

/** The part of `Worker` that is used. */
export interface WorkerLike {
  postMessage(message: ToWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  terminate(): void;
}

/** Asks whether what opened the connection is still good, and renews it where that can be done. */
export type Renew = () => Promise<'renewed' | 'logged_out' | 'unreachable'>;

export interface FeedListener {
  onLink?(link: LinkState, why: string | null): void;
  onMessage?(message: ViewMessage): void;
  /** The field of a session has changed. */
  onStandings?(session: SessionId, standings: Standings): void;
}

export class Feed {
  readonly ring = new Ring(RING_SAMPLES);
  readonly playout = new Playout();
  link: LinkState = 'connecting';
  linkWhy: string | null = null;
  /** When the last sample of the shown session came, by `now`. */
  lastArrival = NaN;
  badFrames = 0;
  /** So many updates a second are all that this connection carries; null where it carries what was asked for. */
  carriedHz: number | null = null;
  private askedHz = FULL_HZ;
  private serverOffset = 0;
  private readonly listeners = new Set<FeedListener>();
  private shown: SessionId | null = null;
  private readonly decoding = new Map<number, (message: Extract<FromWorker, { type: 'decoded' }>) => void>();
  private decodings = 0;

  constructor(
    private readonly worker: WorkerLike,
    url: string,
    private readonly renew: Renew,
    private readonly now: () => number = () => performance.now(),
    private readonly wallClock: () => number = Date.now,
    /** How far the service holds everything back for whoever looks. */
    private readonly behindMs = 0,
  ) {
    worker.onmessage = (event) => this.take(event.data);
    worker.postMessage({ type: 'start', url, behindMs });
  }

  /**
   * The service's clock, as well as it is known, at the moment that is shown: where everything comes later, ages are by
   * the clock of what is seen.
   */
  serverNow(): number {
    return this.wallClock() + this.serverOffset - this.behindMs;
  }

  /** How long ago the last sample of the shown session came; null where none did. */
  ageMs(): number | null {
    return Number.isNaN(this.lastArrival) ? null : this.now() - this.lastArrival;
  }

  listen(listener: FeedListener): () => void {
    this.listeners.add(listener);
    listener.onLink?.(this.link, this.linkWhy);
    return () => this.listeners.delete(listener);
  }

  watch(teams: TeamId[]): void {
    this.worker.postMessage({ type: 'watch', teams });
  }

  show(team: TeamId, session: SessionId | null): void {
    if (session === this.shown) return;
    this.shown = session;
    this.ring.clear();
    this.playout.reset();
    this.lastArrival = NaN;
    this.worker.postMessage({ type: 'show', team, session });
  }

  /** So many batches a second are enough. */
  askRate(maxHz: number): void {
    this.askedHz = maxHz;
    this.expect();
    this.worker.postMessage({ type: 'rate', maxHz });
  }

  /** The page is seen, or hidden behind another. */
  see(seen: boolean): void {
    this.worker.postMessage({ type: 'seen', seen });
    if (seen) this.wake();
  }

  /** Decodes a trace in the worker; the bytes are handed over. */
  decode(bytes: Uint8Array<ArrayBuffer>): Promise<Batch> {
    const id = (this.decodings += 1);
    return new Promise((resolve, reject) => {
      this.decoding.set(id, ({ batch, why }) => {
        if (batch !== null) resolve(batch);
        else reject(new BatchError(why ?? 'not decoded'));
      });
      this.worker.postMessage({ type: 'decode', id, bytes }, [bytes.buffer]);
    });
  }

  wake(): void {
    this.worker.postMessage({ type: 'wake' });
  }

  close(): void {
    this.listeners.clear();
    this.worker.onmessage = null;
    this.worker.terminate();
  }

  private expect(): void {
    this.playout.expect(Math.min(this.askedHz, this.carriedHz ?? Infinity));
  }

  private carries(hz: number | null): void {
    this.carriedHz = hz;
    this.expect();
  }

  private take(message: FromWorker): void {
    switch (message.type) {
      case 'samples':
        this.takeSamples(message);
        break;
      case 'message':
        if (message.message.type === 'hello') this.serverOffset = message.message.server_ms - this.wallClock();
        if (message.message.type === 'pace') this.carries(message.message.max_hz);
        for (const listener of this.listeners) listener.onMessage?.(message.message);
        break;
      case 'standings':
        for (const listener of this.listeners) listener.onStandings?.(message.session, message.standings);
        break;
      case 'link':
        this.link = message.link;
        this.linkWhy = message.why;
        // Another connection may carry more.
        if (this.carriedHz !== null) this.carries(null);
        for (const listener of this.listeners) listener.onLink?.(message.link, message.why);
        break;
      case 'decoded':
        this.decoding.get(message.id)?.(message);
        this.decoding.delete(message.id);
        break;
      case 'bad_frame':
        this.badFrames += 1;
        console.warn(`a frame from the service was skipped: ${message.why}`);
        break;
      case 'login_needed':
        void this.renew().then((renewal) => {
          if (renewal !== 'unreachable') this.worker.postMessage({ type: 'login', renewed: renewal === 'renewed' });
        });
        break;
    }
  }

  private takeSamples(message: Extract<FromWorker, { type: 'samples' }>): void {
    if (message.session !== this.shown) return;
    const before = this.ring.lastTime;
    this.ring.push(message);
    const newest = this.ring.lastTime;
    if (newest === before) return;
    // The snapshot's last batch may be old: it says how the car was, not that it is live.
    const age = this.serverNow() - newest;
    const isOld = Number.isNaN(this.lastArrival) && age > OLD_MS;
    this.lastArrival = this.now() - (isOld ? age : 0);
    this.playout.arrived(newest, this.now());
  }
}

/** By more than agents' and viewers' clocks are likely to differ. */
const OLD_MS = 10_000;
