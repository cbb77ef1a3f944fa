/**
 * The viewer's connection: opens the socket, says what is wanted, decodes, and comes back after a loss.
 *
 * Invariants: what is wanted (teams, session) is said anew on every connection; at most one socket and one timer exist;
 * a frame that cannot be read costs that frame only; what belongs to a session that is not shown is dropped.
 *
 * Not here: the browser. Socket, timers and chance come from outside, so that tests need none of them.
 */
import {
  OPCODE_STANDINGS,
  VIEWER_SUBPROTOCOL,
  type SessionId,
  type TeamId,
  type ViewMessage,
  type ViewerMessage,
} from '../protocol.gen.ts';
import { askedMs, backoffMs } from './backoff.ts';
import { BatchError, decodeBatch } from './batch.ts';
import type { FromWorker, ToWorker } from './messages.ts';
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

/** A connection that was silent for this long when the page is seen again is made anew. */
const SILENT_MS = 20_000;
/** Between two requests for the whole field, where its frames cannot be read. */
const WHOLE_FIELD_MS = 10_000;

export class Connection {
  /** What is known of the shown session's field. */
  private readonly field = new StandingsDecoder();
  private askedWhole = -Infinity;
  private url: string | null = null;
  private socket: Socket | null = null;
  private opened = false;
  private timer: number | null = null;
  private attempt = 0;
  private lastHeard = 0;
  private goodbyeMs: number | null | undefined;
  private goodbyeReason: string | null = null;
  private teams: TeamId[] = [];
  private shown: { team: TeamId; session: SessionId } | null = null;

  constructor(private readonly around: Surroundings) {}

  handle(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        this.url = message.url;
        this.around.post({ type: 'link', link: 'connecting', why: null });
        this.connect();
        break;
      case 'watch':
        this.watch(message.teams);
        break;
      case 'show':
        this.show(message.session === null ? null : { team: message.team, session: message.session });
        break;
      case 'login':
        if (message.renewed) this.retryIn(0);
        else this.stop('You have been logged out.');
        break;
      case 'wake':
        this.wake();
        break;
    }
  }

  private watch(teams: TeamId[]): void {
    this.teams = teams;
    teams.forEach((team) => this.send({ type: 'watch', team }));
  }

  private show(next: { team: TeamId; session: SessionId } | null): void {
    const before = this.shown;
    if (before?.session === next?.session) return;
    this.shown = next;
    if (before !== null) this.send({ type: 'unsubscribe', session: before.session });
    this.subscribe();
  }

  private subscribe(): void {
    if (this.shown !== null) this.send({ type: 'subscribe', ...this.shown, max_hz: null });
  }

  private wake(): void {
    if (this.socket === null && this.timer !== null) {
      this.attempt = 0;
      this.retryIn(0);
    } else if (this.opened && this.around.now() - this.lastHeard > SILENT_MS) {
      this.drop();
      this.around.post({ type: 'link', link: 'reconnecting', why: null });
      this.retryIn(0);
    }
  }

  private connect(): void {
    if (this.url === null) return;
    const socket = this.around.open(this.url, VIEWER_SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.opened = false;
    this.goodbyeMs = undefined;
    this.goodbyeReason = null;
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
    try {
      const { session, standings } = this.field.apply(bytes);
      if (session === this.shown?.session) this.around.post({ type: 'standings', session, standings });
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
      const { session, epoch, sequence, times, channels, values } = decodeBatch(bytes);
      if (session !== this.shown?.session) return;
      const parts = { times, channels: channels.slice(), values: values.slice() };
      this.around.post({ type: 'samples', session, epoch, sequence, ...parts }, [
        times.buffer as ArrayBuffer,
        parts.channels.buffer,
        parts.values.buffer,
      ]);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      this.around.post({ type: 'bad_frame', why: error.message });
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
    if (message.type === 'goodbye') {
      this.goodbyeMs = message.reconnect_after_ms;
      this.goodbyeReason = message.reason;
    }
    if ('session' in message && message.session !== null && message.session !== this.shown?.session) return;
    this.around.post({ type: 'message', message });
  }

  private onClose(code: number, reason: string): void {
    const wasOpen = this.opened;
    this.forget();
    if (this.goodbyeMs === null) {
      this.stop(this.goodbyeReason ?? reason);
      return;
    }
    this.around.post({ type: 'link', link: 'reconnecting', why: this.goodbyeReason ?? (reason || null) });
    // A refused handshake shows as 1006 and nothing else: the login may have run out. The page knows how to renew it.
    if (!wasOpen && code === 1006 && this.attempt % 4 === 0) this.around.post({ type: 'login_needed' });
    const asked = this.goodbyeMs;
    const wait =
      asked === undefined ? backoffMs(this.attempt, this.around.random()) : askedMs(asked, this.around.random());
    this.attempt += 1;
    this.retryIn(wait);
  }

  private retryIn(ms: number): void {
    if (this.socket !== null) return;
    if (this.timer !== null) this.around.clearTimer(this.timer);
    this.timer = this.around.setTimer(() => {
      this.timer = null;
      this.connect();
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
  }

  private send(message: ViewerMessage): void {
    if (this.opened) this.socket?.send(JSON.stringify(message));
  }
}
