/** A team's members: read once and after each change. */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { Member, Role } from '../../api/types.ts';
import type { TeamId, UserId } from '../../protocol.gen.ts';

export class Members {
  members: Member[] | null = $state.raw(null);
  problem: ApiError | null = $state.raw(null);

  constructor(
    private readonly api: Client,
    private readonly team: TeamId,
  ) {}

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.members = await this.api.get<Member[]>(`/api/teams/${this.team}/members`);
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  async changeRole(user: UserId, role: Role): Promise<void> {
    await this.api.put(`/api/teams/${this.team}/members/${user}`, { role });
    await this.load();
  }

  async remove(user: UserId): Promise<void> {
    await this.api.delete(`/api/teams/${this.team}/members/${user}`);
    await this.load();
  }

  /** A member becomes the owner, who hands it over an engineer. */
  async handOver(user: UserId): Promise<void> {
    await this.api.post(`/api/teams/${this.team}/owner`, { user });
    await this.load();
  }
}

/** Whether this member is the only owner: whoever is can neither leave nor become something else. */
export function isOnlyOwner(members: readonly Member[] | null, user: UserId | undefined): boolean {
  const owners = members?.filter((member) => member.role === 'owner') ?? [];
  return owners.length === 1 && owners[0]?.user === user;
}
