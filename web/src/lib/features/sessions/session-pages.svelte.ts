/** A team's sessions, newest first, page by page. */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { SessionPage, SessionSummary } from '../../api/types.ts';
import type { TeamId } from '../../protocol.gen.ts';

export class SessionPages {
  sessions: SessionSummary[] = $state.raw([]);
  /** Where the next page begins; null at the end. */
  next: string | null = $state(null);
  /** Whether the first page has come. */
  loaded = $state(false);
  busy = $state(false);
  problem: ApiError | null = $state.raw(null);

  constructor(
    private readonly api: Client,
    private readonly team: TeamId,
    private readonly limit: number,
  ) {}

  /** Reads the first page, or the next one. */
  async more(): Promise<void> {
    if (this.busy || (this.loaded && this.next === null)) return;
    [this.busy, this.problem] = [true, null];
    try {
      const query = new URLSearchParams({ limit: String(this.limit) });
      if (this.next !== null) query.set('before', this.next);
      const page = await this.api.get<SessionPage>(`/api/teams/${this.team}/sessions?${query}`);
      this.sessions = [...this.sessions, ...page.sessions];
      [this.next, this.loaded] = [page.next, true];
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.busy = false;
    }
  }
}
