/** Notices when the connection to the service is there again: then what could not be loaded can be. */
import type { ApiError } from '../api/client.ts';
import type { LinkState } from '../live/condition.ts';

export class Comeback {
  private away = false;

  /** True when the connection has just come (back). */
  see(link: LinkState): boolean {
    const came = link === 'open' && this.away;
    this.away = link !== 'open';
    return came;
  }
}

/** Whether another try can help when the service is back: it did not answer, or not as itself. */
export function wasAway(problem: ApiError | null): boolean {
  return problem !== null && (problem.code === 'unreachable' || problem.status >= 500);
}
