/**
 * A live session as the control messages tell it: facts, field, laps, setup.
 *
 * Invariants: messages of other sessions change nothing; a lap that is told twice is kept once; a snapshot replaces
 * everything but the setup to compare with and the field, which follows it.
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
  /** Batches that were skipped for us. */
  skipped = $state(0);

  constructor(readonly id: SessionId) {}

  apply(message: ViewMessage): void {
    if (!('session' in message) || message.session !== this.id) return;
    switch (message.type) {
      case 'snapshot':
        this.refused = null;
        this.info = message.info;
        this.takeSetup(message.setup);
        this.laps = [];
        this.happenings = [];
        message.events.forEach((event) => this.takeEvent(event));
        this.consumption = message.consumption;
        this.ended = message.ended !== null;
        this.endReason = message.ended;
        break;
      case 'info':
        this.info = message.info;
        break;
      case 'event':
        this.takeEvent(message.event);
        break;
      case 'consumption':
        this.consumption = message.consumption;
        break;
      case 'setup':
        this.takeSetup(message.setup);
        break;
      case 'gap':
        this.skipped += message.to - message.from + 1;
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

  private takeEvent(event: RaceEvent): void {
    if (event.kind === 'lap') {
      if (event.car !== this.info?.car) return;
      const others = this.laps.filter((lap) => lap.lap !== event.lap);
      this.laps = [...others, event].sort((a, b) => b.lap - a.lap);
    } else if (event.kind === 'note' || event.kind === 'phase' || event.car === this.info?.car) {
      this.happenings = [event, ...this.happenings].slice(0, RECENT);
    }
  }
}
