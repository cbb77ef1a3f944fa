/** A team's invitations: read once and after each change. */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { Invitation, MadeInvitation, Role } from '../../api/types.ts';
import type { TeamId } from '../../protocol.gen.ts';

/** How long an invitation can be good, in hours. */
export const LIVES_H: readonly [hours: string, called: string][] = [
  ['24', 'One day'],
  ['168', 'One week'],
  ['720', '30 days'],
];

export class Invitations {
  all: Invitation[] | null = $state.raw(null);
  problem: ApiError | null = $state.raw(null);
  /** Those that can be taken. */
  readonly open = $derived(this.all?.filter((one) => one.state === 'open') ?? []);
  /** What became of the others, the latest first. */
  readonly past = $derived(this.all?.filter((one) => one.state !== 'open') ?? []);

  constructor(
    private readonly api: Client,
    private readonly team: TeamId,
  ) {}

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.all = await this.api.get<Invitation[]>(this.path);
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** Without an address, the link is given back, this once. */
  async make(role: Role, email: string | null, expiresInH: number): Promise<MadeInvitation> {
    const made = await this.api.post<MadeInvitation>(this.path, { role, email, expires_in_h: expiresInH });
    await this.load();
    return made;
  }

  async revoke(id: string): Promise<void> {
    await this.api.delete(`${this.path}/${id}`);
    await this.load();
  }

  private get path(): string {
    return `/api/teams/${this.team}/invitations`;
  }
}

const PAST: Record<Invitation['state'], string> = {
  open: 'open',
  accepted: 'taken',
  revoked: 'revoked',
  expired: 'expired',
};

/** What became of an invitation. */
export const stateText = (invitation: Invitation): string => PAST[invitation.state];
