/**
 * The viewer's connection: opens the socket, says what is wanted, decodes, and comes back after a loss.
 *
 * Invariants: what is wanted (teams, session, rate) is said anew on every connection; at most one socket and one timer
 * to open the next exist; a frame that cannot be read costs that frame only; what belongs to a session that is not shown is
 * dropped. Another rate is said once and holds from the next batch on.
 *
 * Not here: the browser. Socket, timers and chance come from outside, so that tests need none of them.
 */
import {
  OPCODE_STANDINGS,
  VIEWER_SUBPROTOCOL,
  type RigSession,
  type SessionId,
  type TeamId,
  type ViewMessage,
  type ViewerMessage,
} from '../protocol.gen.ts';
import { Ahead } from './ahead.ts';
import { askedMs, backoffMs } from './backoff.ts';
import { type Batch, BatchError, decodeBatch, uuid } from './batch.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { FULL_HZ, HIDDEN_HZ } from './rate.ts';
import { StandingsDecoder } from './standings.ts';

/** The part of `WebSocket` that is used. */
export interface Socket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Surroundings {
  open(url: string, subprotocol: string): Socket;
  post(message: FromWorker, transfer?: ArrayBuffer[]): void;
  setTimer(run: () => void, ms: number): number;
  clearTimer(id: number): void;
  random(): number;
  now(): number;
}

/** A connection that was silent for this long when the page is seen again is made anew; one that is held back, later. */
const SILENT_MS = 20_000;
/** Between two requests for the whole field, where its frames cannot be read. */
const WHOLE_FIELD_MS = 10_000;

/** Where batches were coming, one that is silent for this long is dead, though nobody has closed it. */
const DEAD_MS = 8000;

/** Who only looks into another tab for a moment keeps the rate. */
const HIDDEN_AFTER_MS = 500;

/** How far a session's stream has come here; what a resumed subscription would begin after. */
interface Place {
  epoch: number;
  sequence: number;
}

export class Connection {
  /** What is known of the shown session's field. */
  private readonly field = new StandingsDecoder();
  private askedWhole = -Infinity;
  private url: string | null = null;
  /** How far the service holds back what it sends here: so long a new connection is silent. */
  private behindMs = 0;
  private socket: Socket | null = null;
  private opened = false;
  private timer: number | null = null;
  private attempt = 0;
  private lastHeard = 0;
  /** Batches that came since something was said that would explain that they stop. */
  private flowing = 0;
  /** What the service has said of the end of this connection: when to be elsewhere, `null` for never again. */
  private goodbye: { at: number | null; reason: string } | null = null;
  private teams: TeamId[] = [];
  private shown: { team: TeamId; session: SessionId } | null = null;
  private readonly ahead = new Ahead();
  /** Whether the shown session was subscribed to before, and its snapshot is still to come. */
  private awaitsSnapshot = false;
  /** The last batch of the shown session. */
  private place: Place | null = null;
  private wantedHz = FULL_HZ;
  private hidden = false;
  private hiding: number | null = null;
  /** What the service was told last on this connection. */
  private askedHz = NaN;

  constructor(private readonly around: Surroundings) {}

  handle(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        [this.url, this.behindMs] = [message.url, message.behindMs];
        this.around.post({ type: 'link', link: 'connecting', why: null });
        this.connect();
        break;
      case 'watch':
        this.watch(message.teams);
        break;
      case 'show':
        this.show(message.session === null ? null : { team: message.team, session: message.session });
        break;
      case 'rate':
        this.wantedHz = message.maxHz;
        this.applyRate();
        break;
      case 'seen':
        this.see(message.seen);
        break;
      case 'decode':
        this.decode(message.id, message.bytes);
        break;
      case 'login':
        if (message.renewed) this.retryIn(0);
        else this.stop('You are no longer logged in here.');
        break;
      case 'wake':
        this.wake();
        break;
    }
  }

  /** To be called every few seconds: finds a connection that is half open. The one batch of a snapshot may be the last. */
  check(): void {
    if (this.opened && this.flowing > 1 && this.around.now() - this.lastHeard > DEAD_MS) this.renew();
  }

  private watch(teams: TeamId[]): void {
    this.teams = teams;
    teams.forEach((team) => this.send({ type: 'watch', team }));
  }

  private show(next: { team: TeamId; session: SessionId } | null): void {
    const before = this.shown;
    if (before?.session === next?.session) return;
    [this.shown, this.place] = [next, null];
    if (before !== null) this.send({ type: 'unsubscribe', session: before.session });
    const hz = next === null ? null : this.ahead.show(next.session);
    this.awaitsSnapshot = hz !== null;
    if (hz === null) {
      this.subscribe();
    } else {
      this.askedHz = hz;
      this.applyRate();
    }
  }

  private prepare(team: TeamId, sessions: readonly RigSession[]): void {
    for (const session of this.ahead.take(sessions, this.shown?.session ?? null, this.maxHz)) {
      this.send({ type: 'subscribe', team, session, max_hz: this.maxHz, after: null });
    }
  }

  private get maxHz(): number {
    return this.hidden ? HIDDEN_HZ : this.wantedHz;
  }

  private subscribe(): void {
    if (this.shown === null || !this.opened) return;
    this.askedHz = this.maxHz;
    this.send({ type: 'subscribe', ...this.shown, max_hz: this.maxHz, after: this.place });
  }

  private applyRate(): void {
    if (this.shown === null || !this.opened || this.askedHz === this.maxHz) return;
    this.askedHz = this.maxHz;
    this.send({ type: 'rate', session: this.shown.session, max_hz: this.maxHz });
  }

  private see(seen: boolean): void {
    if (this.hiding !== null) this.around.clearTimer(this.hiding);
    this.hiding = null;
    const hide = () => {
      [this.hiding, this.hidden] = [null, true];
      this.applyRate();
    };
    if (!seen) {
      this.hiding = this.around.setTimer(hide, HIDDEN_AFTER_MS);
      return;
    }
    this.hidden = false;
    this.applyRate();
  }

  private wake(): void {
    if (this.socket === null && this.timer !== null) {
      this.attempt = 0;
      this.retryIn(0);
    } else if (this.opened && this.around.now() - this.lastHeard > SILENT_MS + this.behindMs) {
      this.renew();
    }
  }

  private renew(): void {
    this.drop();
    this.around.post({ type: 'link', link: 'reconnecting', why: null });
    this.retryIn(0);
  }

  private connect(): void {
    if (this.url === null) return;
    const socket = this.around.open(this.url, VIEWER_SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.opened = false;
    this.goodbye = null;
    socket.onopen = () => this.onOpen();
    socket.onmessage = (event) => this.onFrame(event.data);
    socket.onclose = (event) => this.onClose(event.code, event.reason);
  }

  private onOpen(): void {
    this.opened = true;
    this.lastHeard = this.around.now();
    this.around.post({ type: 'link', link: 'open', why: null });
    this.teams.forEach((team) => this.send({ type: 'watch', team }));
    this.subscribe();
  }

  private onFrame(data: unknown): void {
    this.lastHeard = this.around.now();
    this.attempt = 0;
    if (data instanceof ArrayBuffer) this.onBinary(new Uint8Array(data));
    else if (typeof data === 'string') this.onText(data);
  }

  private onBinary(bytes: Uint8Array): void {
    if (bytes[0] === OPCODE_STANDINGS) this.onStandings(bytes);
    else this.onBatch(bytes);
  }

  private onStandings(bytes: Uint8Array): void {
    if (bytes.length >= 18 && uuid(bytes.subarray(2, 18)) !== this.shown?.session) return;
    try {
      const { session, standings } = this.field.apply(bytes);
      this.around.post({ type: 'standings', session, standings });
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      this.around.post({ type: 'bad_frame', why: error.message });
      this.askForWholeField();
    }
  }

  /** Differences are of no use any more; a new subscription begins with the whole. */
  private askForWholeField(): void {
    const now = this.around.now();
    if (now - this.askedWhole < WHOLE_FIELD_MS) return;
    this.askedWhole = now;
    this.subscribe();
  }

  private onBatch(bytes: Uint8Array): void {
    try {
      const { session, epoch, sequence, ...columns } = decodeBatch(bytes);
      // The last batch comes again with each snapshot.
      if (session !== this.shown?.session || !this.isNext(epoch, sequence)) return;
      // It came before the page was ready for it: then it is asked for once more.
      if (this.awaitsSnapshot) this.subscribe();
      this.awaitsSnapshot = false;
      this.place = { epoch, sequence };
      this.flowing += 1;
      const { times, channels, values } = ownColumns(columns);
      this.around.post(
        { type: 'samples', session, epoch, sequence, times, channels, values },
        buffersOf([times, channels, values]),
      );
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      this.around.post({ type: 'bad_frame', why: error.message });
    }
  }

  private isNext(epoch: number, sequence: number): boolean {
    const { place } = this;
    return place === null || epoch > place.epoch || (epoch === place.epoch && sequence > place.sequence);
  }

  private decode(id: number, bytes: Uint8Array): void {
    try {
      const batch = decodeBatch(bytes);
      const columns = ownColumns(batch);
      this.around.post(
        { type: 'decoded', id, batch: { ...batch, ...columns }, why: null },
        buffersOf([columns.times, columns.channels, columns.values]),
      );
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      this.around.post({ type: 'decoded', id, batch: null, why: error.message });
    }
  }

  private onText(text: string): void {
    let message: ViewMessage;
    try {
      message = JSON.parse(text) as ViewMessage;
    } catch {
      this.around.post({ type: 'bad_frame', why: 'a control message is not JSON' });
      return;
    }
    if (message.type === 'coming') this.prepare(message.team, message.sessions);
    if (message.type === 'refused' && message.session !== null) this.ahead.refuse(message.session);
    if (message.type === 'goodbye') this.onGoodbye(message.reason, message.reconnect_after_ms);
    if (this.explainsSilence(message)) this.flowing = 0;
    if ('session' in message && message.session !== null && message.session !== this.shown?.session) return;
    if (message.type === 'snapshot') this.awaitsSnapshot = false;
    this.around.post({ type: 'message', message });
  }

  private explainsSilence(message: ViewMessage): boolean {
    if (message.type === 'ended') return true;
    if (message.type !== 'rigs') return false;
    const ours = message.rigs.filter((rig) => rig.session === this.shown?.session);
    return ours.some((rig) => !rig.connected || rig.state !== 'on_track');
  }

  private onClose(code: number, reason: string): void {
    const wasOpen = this.opened;
    this.forget();
    const { goodbye } = this;
    if (goodbye?.at === null) {
      this.stop(goodbye.reason);
      return;
    }
    this.around.post({ type: 'link', link: 'reconnecting', why: goodbye?.reason ?? (reason || null) });
    // A refused handshake shows as 1006 and nothing else: the login may have run out. The page knows how to renew it.
    if (!wasOpen && code === 1006 && this.attempt % 4 === 0) this.around.post({ type: 'login_needed' });
    const wait = goodbye ? Math.max(0, goodbye.at - this.around.now()) : backoffMs(this.attempt, this.around.random());
    this.attempt += 1;
    this.retryIn(wait);
  }

  /** The service is going to stop. It goes on until then, so that nothing is missed while others reconnect before us. */
  private onGoodbye(reason: string, reconnectAfterMs: number | null): void {
    if (reconnectAfterMs === null) {
      this.goodbye = { at: null, reason };
    } else if (this.goodbye === null) {
      const wait = askedMs(reconnectAfterMs, this.around.random());
      this.goodbye = { at: this.around.now() + wait, reason };
      this.inTime(wait, () => {
        this.drop();
        this.retryIn(0);
      });
    }
  }

  private retryIn(ms: number): void {
    if (this.socket === null) this.inTime(ms, () => this.connect());
  }

  private inTime(ms: number, run: () => void): void {
    if (this.timer !== null) this.around.clearTimer(this.timer);
    this.timer = this.around.setTimer(() => {
      this.timer = null;
      run();
    }, ms);
  }

  private stop(why: string): void {
    if (this.timer !== null) this.around.clearTimer(this.timer);
    this.timer = null;
    this.drop();
    this.around.post({ type: 'link', link: 'stopped', why });
  }

  private drop(): void {
    this.socket?.close(1000);
    this.forget();
  }

  private forget(): void {
    if (this.socket !== null) {
      this.socket.onopen = null;
      this.socket.onmessage = null;
      this.socket.onclose = null;
    }
    this.socket = null;
    this.opened = false;
    this.flowing = 0;
    this.askedHz = NaN;
    this.awaitsSnapshot = false;
    this.ahead.forget();
  }

  private send(message: ViewerMessage): void {
    if (this.opened) this.socket?.send(JSON.stringify(message));
  }
}

type Columns = Pick<Batch, 'times' | 'channels' | 'values'>;

/** Columns in buffers of their own, no longer than they are: these can be handed over instead of copied. */
function ownColumns({ times, channels, values }: Columns): Columns {
  const own = <T extends Float64Array | Uint16Array>(column: T): T =>
    column.byteLength === column.buffer.byteLength ? column : (column.slice() as T);
  return { times: own(times), channels: own(channels), values: own(values) };
}

function buffersOf(columns: (Float64Array | Uint16Array)[]): ArrayBuffer[] {
  return columns.map((column) => column.buffer as ArrayBuffer);
}
