/**
 * What the whole app shares: the login, the address, the client of the API and the live connection.
 *
 * Not here: what any page shows.
 */
import { Client, type ApiError, problemOf } from '../api/client.ts';
import type { About, Action, Me, Roles, Team } from '../api/types.ts';
import { Confirmation } from '../features/auth/confirmation.svelte.ts';
import { Rigs } from '../features/rigs/rigs.svelte.ts';
import type { Feed } from '../live/feed.ts';
import { openFeed } from '../live/open-feed.ts';
import { Pace } from './pace.svelte.ts';
import { Router } from './router.svelte.ts';
import { isPublic, paths, returnPath } from './routes.ts';
import { may, whoMay } from './roles.ts';

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
  /** Why somebody who was here is not logged in any more. */
  whyLoggedOut: string | null = $state(null);
  /** What kind of installation this is; `null` while that is not known. */
  about: About | null = $state.raw(null);
  readonly confirmation = new Confirmation();
  /** Who may do what. */
  private roles: Roles | null = $state.raw(null);

  constructor() {
    this.api.onLoggedOut = () => this.toLogin();
    this.api.onConfirm = () => this.confirmation.ask();
    addEventListener('online', () => this.feed?.wake());
    document.addEventListener('visibilitychange', () => {
      this.feed?.see(document.visibilityState === 'visible');
    });
  }

  async start(): Promise<void> {
    this.problem = null;
    void this.learn();
    try {
      await this.enter(await this.api.get<Me>('/api/me'));
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status !== 401) this.problem = problem;
      else this.me = null;
    }
  }

  /** What kind of installation this is: pages do without where it cannot be had. */
  private async learn(): Promise<void> {
    try {
      this.about = await this.api.get<About>('/api/about');
    } catch {
      this.about = null;
    }
  }

  /** Somebody has logged in. */
  async enter(me: Me): Promise<void> {
    this.roles ??= await this.api.get<Roles>('/api/roles');
    this.me = me;
    this.whyLoggedOut = null;
    this.connect();
  }

  /** Opens the live connection, anew where there is one. */
  private connect(): void {
    this.feed?.close();
    this.feed = openFeed({ renew: () => this.renew() });
    this.feed.askRate(this.pace.maxHz);
    this.rigs.follow(this.feed);
    this.watch();
  }

  /** Reads again who is logged in and which teams there are: after a change of name, team or role. */
  async refresh(): Promise<void> {
    this.me = await this.api.get<Me>('/api/me');
    this.watch();
  }

  /** Asks what all rigs are doing: at the start, and when there are others than before. */
  watch(): void {
    this.feed?.watch(this.me?.teams.map((team) => team.id) ?? []);
  }

  /** After log-in or sign-up: to where the person wanted to go. */
  async arrive(me: Me): Promise<void> {
    await this.enter(me);
    this.router.go(returnPath(this.router.search), { replace: true });
  }

  async logout(): Promise<void> {
    await this.api.post('/api/auth/logout');
    this.goodbye();
  }

  /** The person has logged out, or is no more: to the log-in page, without a word of why. */
  goodbye(): void {
    this.leave();
    this.whyLoggedOut = null;
    this.router.secrets.dropInvitation();
    this.router.go(paths.login());
  }

  team(id: string): Team | null {
    return this.me?.teams.find((team) => team.id === id) ?? null;
  }

  /** Whether the person may do this in a team. Only for what is shown: the service asks for itself. */
  can(team: string, action: Action): boolean {
    return may(this.roles, this.team(team)?.role, action);
  }

  /** The roles that may do this: "owner or engineer". */
  whoMay(action: Action): string {
    return whoMay(this.roles, action);
  }

  private async renew(): Promise<'renewed' | 'logged_out' | 'unreachable'> {
    const renewal = await this.api.renew();
    if (renewal === 'logged_out') this.toLogin();
    return renewal;
  }

  private toLogin(): void {
    if (this.me != null) this.whyLoggedOut = 'You are no longer logged in here.';
    this.leave();
    if (!isPublic(this.router.route.page)) {
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
