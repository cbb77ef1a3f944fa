/**
 * What a dashboard shows: follows a rig's session, copies the latest values five times a second, and gets from the record
 * what is missing of the trace.
 *
 * Not here: what moves faster (`live/draw`).
 */
import { ApiError } from '../../api/client.ts';
import type { SessionDetail } from '../../api/types.ts';
import type { Viewer } from '../../app/viewer.ts';
import { Backfill } from '../../live/backfill.ts';
import type { Batch } from '../../live/batch.ts';
import { type Condition, dashboardCondition } from '../../live/condition.ts';
import { Stage } from '../../live/draw.ts';
import type { Feed } from '../../live/feed.ts';
import { CHANNELS, Channel, type RigId, type SessionId, type Setup, type TeamId } from '../../protocol.gen.ts';
import { RECORDED, WINDOWS_S } from '../../plot/live-trace.ts';
import { sameSetup } from '../setups/compare.ts';
import { LiveSession } from './session.svelte.ts';
import { Values } from './values.ts';

const NUMBERS_MS = 200;
/** For so long it is said that samples were left out. */
const THINNED_MS = 20_000;
const BACKFILL_MS = 1000;
const RECORDED_CHANNELS = RECORDED.map((channel) => CHANNELS[channel]?.name).join(',');

export class LiveView {
  session: LiveSession | null = $state.raw(null);
  values: Values = $state.raw(Values.none);
  /** Age of what is shown; null where nothing came. */
  ageMs: number | null = $state(null);
  /** How far back the trace reaches, in seconds. */
  traceS: number = $state(WINDOWS_S[0]);
  readonly stage: Stage;
  private backfill: Backfill | null = null;
  private readonly teamAndRig: { team: TeamId; rig: RigId };

  constructor(
    private readonly eyes: Viewer,
    private readonly feed: Feed,
    team: TeamId,
    rig: RigId,
  ) {
    this.stage = new Stage(feed);
    this.teamAndRig = { team, rig };
  }

  /** What the rig is doing; see `Rigs.state`. */
  get rig() {
    return this.eyes.rigs.state(this.teamAndRig.team, this.teamAndRig.rig);
  }

  get condition(): Condition {
    const { link, nowMs } = this.eyes.rigs;
    const { ended = false, endReason = null } = this.session ?? {};
    const slowHz = this.feed.carriedHz;
    return dashboardCondition({ link, rig: this.rig, ageMs: this.ageMs, ended, endReason, slowHz }, nowMs);
  }

  /** Samples were left out lately because this page could not keep up. */
  get thinned(): boolean {
    const atMs = this.session?.thinned?.atMs;
    return atMs !== undefined && this.eyes.rigs.nowMs - atMs < THINNED_MS;
  }

  /** Shows a session, or none. */
  follow(id: SessionId | null): void {
    if (id === (this.session?.id ?? null)) return;
    this.session = id === null ? null : new LiveSession(id, () => this.feed.serverNow());
    this.values = Values.none;
    this.ageMs = null;
    const isRecorded = id !== null && this.eyes.can(this.teamAndRig.team, 'see_history');
    this.backfill = !isRecorded ? null : new Backfill(this.feed.ring, (fromS, toS) => this.recorded(id, fromS, toS));
    this.feed.show(this.teamAndRig.team, id);
  }

  /** Runs until the returned function is called. */
  start(): () => void {
    const unlisten = this.feed.listen({
      onMessage: (message) => {
        this.session?.apply(message);
        if (message.type === 'backfilled' && message.session === this.session?.id) {
          this.backfill?.told(message.from_s, message.to_s, Date.now());
        }
        if (message.type === 'snapshot' && message.setup !== null) void this.findSetupBefore();
      },
      onStandings: (session, standings) => this.session?.takeStandings(session, standings),
    });
    const timer = setInterval(() => {
      this.values = Values.of(this.feed.ring);
      this.ageMs = this.feed.ageMs();
      const sessionS = this.values.get(Channel.SessionTime);
      if (sessionS !== null) this.session?.sawTime(sessionS);
    }, NUMBERS_MS);
    const backfilling = setInterval(() => void this.backfill?.tick(Date.now(), this.traceS * 1000), BACKFILL_MS);
    return () => {
      unlisten();
      clearInterval(timer);
      clearInterval(backfilling);
      this.feed.show(this.teamAndRig.team, null);
    };
  }

  private async recorded(session: SessionId, fromS: number, toS: number): Promise<Batch | null> {
    const what = `from_s=${fromS.toFixed(3)}&to_s=${toS.toFixed(3)}&channels=${RECORDED_CHANNELS}`;
    const path = `/api/teams/${this.teamAndRig.team}/sessions/${session}/trace?${what}`;
    try {
      return await this.feed.decode(await this.eyes.api.bytes(path));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }

  /** Where the page was opened after a change of the setup, the one before is in the record. */
  private async findSetupBefore(): Promise<void> {
    const session = this.session;
    if (session === null || session.setup === null || session.previousSetup !== null) return;
    const { team } = this.teamAndRig;
    if (!this.eyes.can(team, 'see_history')) return;
    try {
      const { setups } = await this.eyes.api.get<SessionDetail>(`/api/teams/${team}/sessions/${session.id}`);
      for (const { hash } of setups.slice(-2).reverse()) {
        const setup = await this.eyes.api.get<Setup>(`/api/teams/${team}/setups/${hash}`);
        if (session.setup !== null && !sameSetup(setup, session.setup)) {
          session.compareWith(setup);
          return;
        }
      }
    } catch {
      // Not recorded yet, or not to be had now: then there is nothing to compare with.
    }
  }
}
