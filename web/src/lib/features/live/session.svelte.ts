/**
 * A live session as the control messages tell it: facts, field, laps, setup.
 *
 * Invariants: messages of other sessions change nothing; a lap or happening that is told twice is kept once, so that a
 * snapshot (one comes with every reconnect and every other rate) adds to them and takes none away; laps stand by their
 * number and happenings by session time, whenever they come. What happened while the page was watching and is told only
 * afterwards is marked as late; what happened before is history and is not. The field follows a snapshot, which leaves it
 * as it was.
 *
 * Not here: samples (`live/ring`).
 */
import type {
  Consumption,
  EndReason,
  Lap,
  RaceEvent,
  SessionId,
  SessionInfo,
  Setup,
  Standings,
  ViewMessage,
} from '../../protocol.gen.ts';
import { sameSetup } from '../setups/compare.ts';

const NO_CONSUMPTION: Consumption = { laps: 0, fuel_l: null, fuel_kg: null, virtual_energy_pct: null };
/** Events other than laps that are kept for the list. */
const RECENT = 50;

export type Happening = Exclude<RaceEvent, { kind: 'lap' }>;

/** Samples were left out for this page at this time, milliseconds by the service's clock: it was too slow to take them. */
export interface Thinned {
  atMs: number;
  batches: number;
}

export class LiveSession {
  info: SessionInfo | null = $state.raw(null);
  standings: Standings | null = $state.raw(null);
  setup: Setup | null = $state.raw(null);
  previousSetup: Setup | null = $state.raw(null);
  /** Our car's laps, latest first. */
  laps: readonly Lap[] = $state.raw([]);
  /** What else happened, latest first. */
  happenings: readonly Happening[] = $state.raw([]);
  consumption: Consumption = $state.raw(NO_CONSUMPTION);
  ended = $state(false);
  endReason: EndReason | null = $state(null);
  /** Why the session is not shown. */
  refused: string | null = $state(null);
  /** The last time that this page could not keep up. */
  thinned: Thinned | null = $state.raw(null);
  /** Laps and happenings that came late, by `keyOf`. */
  late: ReadonlySet<string> = $state.raw(new Set());
  /** Session time from which on the page has been watching. */
  private sinceS = Infinity;

  constructor(
    readonly id: SessionId,
    private readonly now: () => number = Date.now,
  ) {}

  /** The page has seen the car at this session time. */
  sawTime(sessionS: number): void {
    if (this.sinceS === Infinity) this.sinceS = sessionS;
  }

  isLate(event: RaceEvent): boolean {
    return this.late.has(keyOf(event));
  }

  apply(message: ViewMessage): void {
    if (!('session' in message) || message.session !== this.id) return;
    switch (message.type) {
      case 'snapshot':
        this.refused = null;
        // What was missing before it was missed over a break, not for a slow connection.
        this.thinned = null;
        this.info = message.info;
        this.takeSetup(message.setup);
        message.events.forEach((event) => this.takeEvent(event, false));
        this.consumption = message.consumption;
        this.ended = message.ended !== null;
        this.endReason = message.ended;
        break;
      case 'info':
        this.info = message.info;
        break;
      case 'event':
        this.takeEvent(message.event, message.late);
        break;
      case 'consumption':
        this.consumption = message.consumption;
        break;
      case 'setup':
        this.takeSetup(message.setup);
        break;
      case 'gap':
        this.thinned = { atMs: this.now(), batches: message.to - message.from + 1 };
        break;
      case 'ended':
        this.ended = true;
        this.endReason = message.reason;
        break;
      case 'refused':
        this.refused = message.message;
        break;
    }
  }

  /** The field, as it comes beside the messages. */
  takeStandings(session: SessionId, standings: Standings): void {
    if (session === this.id) this.standings = standings;
  }

  /** The setup before, as it was recorded: where the page was opened after the change. */
  compareWith(previous: Setup): void {
    if (this.previousSetup === null && this.setup !== null && !sameSetup(previous, this.setup)) {
      this.previousSetup = previous;
    }
  }

  private takeSetup(setup: Setup | null): void {
    if (this.setup !== null && setup !== null && !sameSetup(this.setup, setup)) this.previousSetup = this.setup;
    this.setup = setup ?? this.setup;
  }

  private takeEvent(event: RaceEvent, late: boolean): void {
    if ('car' in event && event.kind !== 'note' && event.car !== this.info?.car) return;
    const key = keyOf(event);
    const isNew = event.kind === 'lap' ? this.takeLap(event) : this.takeHappening(event, key);
    if (isNew && late && event.at_s > this.sinceS) this.late = new Set(this.late).add(key);
  }

  private takeLap(lap: Lap): boolean {
    const others = this.laps.filter((other) => other.lap !== lap.lap);
    const isNew = others.length === this.laps.length;
    this.laps = [...others, lap].sort((a, b) => b.lap - a.lap);
    return isNew;
  }

  private takeHappening(event: Happening, key: string): boolean {
    if (this.happenings.some((other) => keyOf(other) === key)) return false;
    const after = this.happenings.findIndex((other) => other.at_s <= event.at_s);
    const at = after === -1 ? this.happenings.length : after;
    this.happenings = this.happenings.toSpliced(at, 0, event).slice(0, RECENT);
    return true;
  }
}

/** What makes an event the same event when it is told again. */
export function keyOf(event: RaceEvent): string {
  return event.kind === 'lap' ? `lap ${event.lap}` : JSON.stringify(event);
}
