/** A team's share links: read when the page opens, after each change, and every few seconds, for who looks at them now. */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { MadeShare, NewShare, Share } from '../../api/types.ts';
import type { TeamId } from '../../protocol.gen.ts';
import { stateOf } from './words.ts';

const AGAIN_MS = 10_000;

export class TeamShares {
  shares: Share[] | null = $state.raw(null);
  problem: ApiError | null = $state.raw(null);
  /** When that was read: what is open is open then. */
  nowMs = $state(Date.now());
  readonly open: Share[] = $derived(this.shares?.filter((share) => stateOf(share, this.nowMs) === 'open') ?? []);
  readonly ended: Share[] = $derived(this.shares?.filter((share) => stateOf(share, this.nowMs) !== 'open') ?? []);

  constructor(
    private readonly api: Client,
    readonly team: TeamId,
    private readonly clock: () => number = Date.now,
  ) {}

  async load(): Promise<void> {
    try {
      this.shares = await this.api.get<Share[]>(this.path());
      [this.problem, this.nowMs] = [null, this.clock()];
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** Reads them again and again, while the page is seen, until the returned function is called. */
  follow(): () => void {
    void this.load();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void this.load();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }

  async make(share: NewShare): Promise<MadeShare> {
    const made = await this.api.post<MadeShare>(this.path(), share);
    if (this.shares !== null) void this.load();
    return made;
  }

  async revoke(share: Share): Promise<void> {
    await this.api.delete(this.path(share.id));
    await this.load();
  }

  private path(share?: string): string {
    return `/api/teams/${this.team}/shares${share === undefined ? '' : `/${share}`}`;
  }
}
