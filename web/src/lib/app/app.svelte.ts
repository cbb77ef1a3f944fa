/**
 * What the whole app shares: the login, the address, the client of the API and the live connection.
 *
 * Not here: what any page shows.
 */
import { Client, type ApiError, problemOf } from '../api/client.ts';
import type { Me, Team } from '../api/types.ts';
import { Rigs } from '../features/rigs/rigs.svelte.ts';
import { Feed } from '../live/feed.ts';
import { Pace } from './pace.svelte.ts';
import { Router } from './router.svelte.ts';
import { paths, returnPath } from './routes.ts';

export class App {
  readonly api = new Client();
  readonly router = new Router();
  /** Who is logged in; `null` for nobody, `undefined` while that is not known. */
  me: Me | null | undefined = $state.raw(undefined);
  /** Why that cannot be known. */
  problem: ApiError | null = $state.raw(null);
  /** The live connection, while somebody is logged in. */
  feed: Feed | null = $state.raw(null);
  readonly rigs = new Rigs();
  readonly pace = new Pace();
  /** Whether somebody was here whose login has run out. */
  loginRanOut = $state(false);

  constructor() {
    this.api.onLoggedOut = () => this.toLogin();
    addEventListener('online', () => this.feed?.wake());
    document.addEventListener('visibilitychange', () => {
      this.feed?.see(document.visibilityState === 'visible');
    });
  }

  async start(): Promise<void> {
    this.problem = null;
    try {
      this.enter(await this.api.get<Me>('/api/me'));
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status !== 401) this.problem = problem;
      else this.me = null;
    }
  }

  /** Somebody has logged in. */
  enter(me: Me): void {
    this.feed?.close();
    this.me = me;
    this.loginRanOut = false;
    const worker = new Worker(new URL('../live/worker.ts', import.meta.url), { type: 'module' });
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live/ws`;
    this.feed = new Feed(worker, url, () => this.renew());
    this.feed.askRate(this.pace.maxHz);
    if (document.visibilityState === 'hidden') this.feed.see(false);
    this.rigs.follow(this.feed);
    this.watch();
  }

  /** Asks what all rigs are doing: at the start, and when there are others than before. */
  watch(): void {
    this.feed?.watch(this.me?.teams.map((team) => team.id) ?? []);
  }

  /** After log-in or sign-up: to where the person wanted to go. */
  arrive(me: Me): void {
    this.enter(me);
    this.router.go(returnPath(this.router.search), { replace: true });
  }

  async logout(): Promise<void> {
    await this.api.post('/api/auth/logout');
    this.leave();
    this.loginRanOut = false;
    this.router.go(paths.login());
  }

  team(id: string): Team | null {
    return this.me?.teams.find((team) => team.id === id) ?? null;
  }

  private async renew(): Promise<'renewed' | 'logged_out' | 'unreachable'> {
    const renewal = await this.api.renew();
    if (renewal === 'logged_out') this.toLogin();
    return renewal;
  }

  private toLogin(): void {
    if (this.me != null) this.loginRanOut = true;
    this.leave();
    const { page } = this.router.route;
    if (page !== 'login' && page !== 'signup') {
      this.router.go(paths.login(this.router.path + this.router.search), { replace: true });
    }
  }

  private leave(): void {
    this.feed?.close();
    this.feed = null;
    this.rigs.reset();
    this.me = null;
  }
}

export const app = new App();
