/**
 * An agent that shows a code is let in, or kept out, by a member of a team (RFC 8628, the browser's side).
 *
 * Invariant: nothing is approved that was not seen: code, name and address of who asks come before the choice.
 */
import { ApiError, type Client, problemOf } from '../../api/client.ts';
import type { WaitingAgent } from '../../api/types.ts';
import type { RigId, TeamId } from '../../protocol.gen.ts';
import { shownCode } from './code.ts';

export type Step =
  | { at: 'code' }
  | { at: 'decide'; code: string; agent: WaitingAgent }
  | { at: 'approved'; agent: WaitingAgent; team: TeamId; rig: RigId; rigName: string }
  | { at: 'denied'; agent: WaitingAgent };

/** Which rig the agent becomes: one that there is, or another. */
export type Choice = { rig: RigId; name: string } | { rig: null; name: string };

const GONE = 'No PC waits with this code. A code is good for ten minutes: compare it, or begin again on the PC.';

export class Pairing {
  step: Step = $state.raw({ at: 'code' });

  constructor(private readonly api: Client) {}

  /** Finds the agent that shows a code; throws, for the field `user_code`, where there is none. */
  async look(team: TeamId, typed: string): Promise<void> {
    const code = shownCode(typed);
    const agent = await this.ask<WaitingAgent>(team, 'look', { user_code: code });
    this.step = { at: 'decide', code, agent };
  }

  async approve(team: TeamId, choice: Choice): Promise<void> {
    if (this.step.at !== 'decide') return;
    const { code, agent } = this.step;
    const which = choice.rig === null ? { rig_name: choice.name } : { rig: choice.rig };
    const { rig } = await this.ask<{ rig: RigId }>(team, 'approve', { user_code: code, ...which });
    this.step = { at: 'approved', agent, team, rig, rigName: choice.name };
  }

  async deny(team: TeamId): Promise<void> {
    if (this.step.at !== 'decide') return;
    const { code, agent } = this.step;
    await this.ask<undefined>(team, 'deny', { user_code: code });
    this.step = { at: 'denied', agent };
  }

  again(): void {
    this.step = { at: 'code' };
  }

  private async ask<T>(team: TeamId, what: string, body: object): Promise<T> {
    try {
      return await this.api.post<T>(`/api/teams/${team}/pairings/${what}`, body);
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status === 404) throw inField(problem, 'user_code', GONE);
      // The name of a rig is called so by the part of the service that keeps rigs.
      throw problem.field === 'name' ? inField(problem, 'rig_name', problem.message) : problem;
    }
  }
}

const inField = (problem: ApiError, field: string, message: string): ApiError =>
  new ApiError(problem.status, problem.code, message, field, problem.trace, problem.retryAfterS);
