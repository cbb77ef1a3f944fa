/**
 * An invitation that somebody has opened: what it is to, and taking it.
 *
 * Not here: keeping the secret over a log-in or sign-up (`app/secrets`).
 */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { InvitationLook, Team } from '../../api/types.ts';

export class Join {
  /** What the invitation is to; null while that is not known. */
  look: InvitationLook | null = $state.raw(null);
  /** Why it cannot be looked at. */
  problem: ApiError | null = $state.raw(null);
  /** Why it was not taken. */
  refusal: ApiError | null = $state.raw(null);
  busy = $state(false);

  constructor(
    private readonly api: Client,
    private readonly secret: string,
  ) {}

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.look = await this.api.post<InvitationLook>('/api/invitations/look', { secret: this.secret });
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** The team that was joined; null where it was not. */
  async accept(): Promise<Team | null> {
    if (this.busy) return null;
    [this.busy, this.refusal] = [true, null];
    try {
      return await this.api.post<Team>('/api/invitations/accept', { secret: this.secret });
    } catch (error) {
      this.refusal = problemOf(error);
      return null;
    } finally {
      this.busy = false;
    }
  }
}

/** What is wrong with an invitation that cannot be taken; null where trying again may help. */
export function wrongWith(problem: ApiError): string | null {
  switch (problem.code) {
    case 'invalid':
      return 'This link is not whole';
    case 'not_found':
      return 'There is no such invitation';
    case 'conflict':
      return 'This invitation is over';
    default:
      return null;
  }
}
