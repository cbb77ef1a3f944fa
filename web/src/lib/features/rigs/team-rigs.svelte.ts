/** A team's rigs with their tokens: read once and after each change; what they are doing comes live (`Rigs`). */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { NewRig, NewToken, Rig } from '../../api/types.ts';
import type { RigId, TeamId, TokenId } from '../../protocol.gen.ts';

export class TeamRigs {
  rigs: Rig[] | null = $state.raw(null);
  problem: ApiError | null = $state.raw(null);

  constructor(
    private readonly api: Client,
    readonly team: TeamId,
    /** Called when there are other rigs than before. */
    private readonly onChange: () => void,
  ) {}

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.rigs = await this.api.get<Rig[]>(this.path());
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** Makes a rig and gives its token, which is shown this once. */
  async add(name: string): Promise<NewRig> {
    const made = await this.api.post<NewRig>(this.path(), { name });
    this.onChange();
    await this.load();
    return made;
  }

  async remove(rig: RigId): Promise<void> {
    await this.api.delete(this.path(rig));
    this.onChange();
    await this.load();
  }

  /** Another token for a rig, shown this once; good for so many days, or until it is revoked. */
  async addToken(rig: RigId, days: number | null = null): Promise<string> {
    const { token } = await this.api.post<NewToken>(`${this.path(rig)}/tokens`, { expires_in_days: days });
    await this.load();
    return token;
  }

  /** A token in place of another, which goes on for so many hours. Shown this once. */
  async rotate(rig: RigId, old: TokenId, overlapH: number): Promise<string> {
    const made = await this.api.post<NewToken>(`${this.path(rig)}/tokens/${old}/rotate`, { overlap_h: overlapH });
    await this.load();
    return made.token;
  }

  async revoke(rig: RigId, token: TokenId): Promise<void> {
    await this.api.delete(`${this.path(rig)}/tokens/${token}`);
    await this.load();
  }

  private path(rig?: RigId): string {
    return `/api/teams/${this.team}/rigs${rig === undefined ? '' : `/${rig}`}`;
  }
}

/** Whether a rig's agent was ever here, as far as its tokens tell. */
export function wasUsed(rig: Rig): boolean {
  return rig.tokens.some((token) => token.last_used_at !== null);
}
