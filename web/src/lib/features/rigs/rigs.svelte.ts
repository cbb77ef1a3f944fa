/** What the rigs of the watched teams are doing, as the live connection tells it. */
import type { RigId, RigState, TeamId, ViewMessage } from '../../protocol.gen.ts';
import type { LinkState } from '../../live/condition.ts';
import type { FeedListener } from '../../live/feed.ts';

interface Telling {
  listen(listener: FeedListener): () => void;
  serverNow(): number;
}

export class Rigs {
  link: LinkState = $state('connecting');
  linkWhy: string | null = $state(null);
  /** The service's clock, moved on once a second for ages. */
  nowMs = $state(Date.now());
  private states: ReadonlyMap<RigId, RigState> = $state.raw(new Map());
  /** Teams whose rigs have been told. */
  private told: ReadonlyMap<TeamId, ReadonlySet<RigId>> = $state.raw(new Map());
  private unfollow: () => void = () => undefined;

  follow(feed: Telling): void {
    this.reset();
    const timer = setInterval(() => (this.nowMs = feed.serverNow()), 1000);
    const unlisten = feed.listen({
      onLink: (link, why) => {
        this.link = link;
        this.linkWhy = why;
      },
      onMessage: (message) => {
        this.nowMs = feed.serverNow();
        this.apply(message);
      },
    });
    this.unfollow = () => {
      clearInterval(timer);
      unlisten();
    };
  }

  apply(message: ViewMessage): void {
    if (message.type !== 'rigs') return;
    const states = new Map(this.states);
    message.rigs.forEach((rig) => states.set(rig.rig, rig));
    this.states = states;
    const known = this.told.get(message.team) ?? new Set();
    this.told = new Map(this.told).set(message.team, new Set([...known, ...message.rigs.map((rig) => rig.rig)]));
  }

  /** The state of a rig; `undefined` while its team's rigs were not told. */
  state(team: TeamId, rig: RigId): RigState | null | undefined {
    const state = this.states.get(rig);
    if (state !== undefined) return state;
    return this.told.has(team) ? null : undefined;
  }

  /** The rigs of a team, as far as they were told. */
  idsOf(team: TeamId): RigId[] {
    return [...(this.told.get(team) ?? [])];
  }

  /** A team's rigs, by name; `undefined` while they were not told. */
  ofTeam(team: TeamId): RigState[] | undefined {
    const told = this.told.get(team);
    if (told === undefined) return undefined;
    const rigs = [...told].map((rig) => this.states.get(rig)).filter((state) => state !== undefined);
    return rigs.sort((a, b) => a.name.localeCompare(b.name));
  }

  /** The team that a rig belongs to, of these; `undefined` while not all of them were told. */
  teamOf(rig: RigId, teams: readonly TeamId[]): TeamId | null | undefined {
    const found = teams.find((team) => this.told.get(team)?.has(rig) === true);
    if (found !== undefined) return found;
    return teams.every((team) => this.told.has(team)) ? null : undefined;
  }

  reset(): void {
    this.unfollow();
    this.unfollow = () => undefined;
    this.link = 'connecting';
    this.linkWhy = null;
    this.states = new Map();
    this.told = new Map();
  }
}
