/**
 * What a dashboard shows: follows a rig's session, and copies the latest values five times a second.
 *
 * Not here: what moves faster (`live/draw`).
 */
import type { Client } from '../../api/client.ts';
import type { SessionDetail } from '../../api/types.ts';
import { type Condition, dashboardCondition } from '../../live/condition.ts';
import { Stage } from '../../live/draw.ts';
import type { Feed } from '../../live/feed.ts';
import type { RigId, SessionId, Setup, TeamId } from '../../protocol.gen.ts';
import type { Rigs } from '../rigs/rigs.svelte.ts';
import { sameSetup } from '../setups/compare.ts';
import { LiveSession } from './session.svelte.ts';
import { Values } from './values.ts';

const NUMBERS_MS = 200;

export class LiveView {
  session: LiveSession | null = $state.raw(null);
  values: Values = $state.raw(Values.none);
  /** Age of what is shown; null where nothing came. */
  ageMs: number | null = $state(null);
  readonly stage: Stage;
  private readonly teamAndRig: { team: TeamId; rig: RigId };

  constructor(
    private readonly api: Client,
    private readonly feed: Feed,
    private readonly rigs: Rigs,
    team: TeamId,
    rig: RigId,
  ) {
    this.stage = new Stage(feed);
    this.teamAndRig = { team, rig };
  }

  /** What the rig is doing; see `Rigs.state`. */
  get rig() {
    return this.rigs.state(this.teamAndRig.team, this.teamAndRig.rig);
  }

  get condition(): Condition {
    const { link, nowMs } = this.rigs;
    const { ended = false, endReason = null } = this.session ?? {};
    return dashboardCondition({ link, rig: this.rig, ageMs: this.ageMs, ended, endReason }, nowMs);
  }

  /** Shows a session, or none. */
  follow(id: SessionId | null): void {
    if (id === (this.session?.id ?? null)) return;
    this.session = id === null ? null : new LiveSession(id);
    this.values = Values.none;
    this.ageMs = null;
    this.feed.show(this.teamAndRig.team, id);
  }

  /** Runs until the returned function is called. */
  start(): () => void {
    const unlisten = this.feed.listen({
      onMessage: (message) => {
        this.session?.apply(message);
        if (message.type === 'snapshot' && message.setup !== null) void this.findSetupBefore();
      },
      onStandings: (session, standings) => this.session?.takeStandings(session, standings),
    });
    const timer = setInterval(() => {
      this.values = Values.of(this.feed.ring);
      this.ageMs = this.feed.ageMs();
    }, NUMBERS_MS);
    return () => {
      unlisten();
      clearInterval(timer);
      this.feed.show(this.teamAndRig.team, null);
    };
  }

  /** Where the page was opened after a change of the setup, the one before is in the record. */
  private async findSetupBefore(): Promise<void> {
    const session = this.session;
    if (session === null || session.setup === null || session.previousSetup !== null) return;
    const { team } = this.teamAndRig;
    try {
      const { setups } = await this.api.get<SessionDetail>(`/api/teams/${team}/sessions/${session.id}`);
      for (const { hash } of setups.slice(-2).reverse()) {
        const setup = await this.api.get<Setup>(`/api/teams/${team}/setups/${hash}`);
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
