/** Requests as somebody with a share link: its cookie opens what the link shows, also to a member of the team. */
import { Client, type Renewal } from '../../api/client.ts';

export class ShareClient extends Client {
  constructor(private readonly ask: typeof fetch = (...args) => fetch(...args)) {
    super((path, init) => ask(typeof path === 'string' ? asShare(path) : path, init));
  }

  /** There is nothing to be renewed: either the link is still open, or it has ended. */
  protected override async askRenewal(): Promise<Renewal> {
    try {
      const { ok, status } = await this.ask('/api/shares/current', { credentials: 'same-origin' });
      if (ok) return 'renewed';
      return status === 401 ? 'logged_out' : 'unreachable';
    } catch {
      return 'unreachable';
    }
  }
}

/** A team's data is asked for as who holds the link, not as who may be logged in beside it. */
export function asShare(path: string): string {
  if (!path.startsWith('/api/teams/')) return path;
  return `${path}${path.includes('?') ? '&' : '?'}as=share`;
}
