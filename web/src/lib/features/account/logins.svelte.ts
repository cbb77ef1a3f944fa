/** The browsers in which somebody is logged in: read once and after each change. */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { Login } from '../../api/types.ts';

export class Logins {
  /** This one first, then those used last first. */
  list: Login[] | null = $state.raw(null);
  problem: ApiError | null = $state.raw(null);
  /** The one that is being ended; `all` for all others. */
  ending: string | null = $state(null);

  constructor(private readonly api: Pick<Client, 'get' | 'delete'>) {}

  get others(): number {
    return this.list?.filter((login) => !login.is_this).length ?? 0;
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      const list = await this.api.get<Login[]>('/api/me/logins');
      this.list = [...list.filter((login) => login.is_this), ...list.filter((login) => !login.is_this)];
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  end(login: string): Promise<void> {
    return this.change(login, `/api/me/logins/${login}`);
  }

  endOthers(): Promise<void> {
    return this.change('all', '/api/me/logins');
  }

  private async change(what: string, path: string): Promise<void> {
    if (this.ending !== null) return;
    [this.ending, this.problem] = [what, null];
    try {
      await this.api.delete(path);
      await this.load();
    } catch (error) {
      const problem = problemOf(error);
      // It has ended by itself in the meantime.
      if (problem.status === 404) await this.load();
      else this.problem = problem;
    } finally {
      this.ending = null;
    }
  }
}
