/**
 * What the whole app shares: the login, the address, the client of the API and the live connection.
 *
 * Not here: what any page shows.
 */
import { Client, type ApiError, type Renewal, problemOf } from '../api/client.ts';
import type { About, Action, Me, Roles, Team } from '../api/types.ts';
import { Confirmation } from '../features/auth/confirmation.svelte.ts';
import { Rigs } from '../features/rigs/rigs.svelte.ts';
import { type LostTeam, isOpen, isOutdated, lostTeams } from '../features/team/lost.ts';
import type { Feed, FeedListener } from '../live/feed.ts';
import { openFeed } from '../live/open-feed.ts';
import type { TeamId } from '../protocol.gen.ts';
import { Pace } from './pace.svelte.ts';
import { Router } from './router.svelte.ts';
import { type Route, isPublic, paths, returnPath } from './routes.ts';
import { may, whoMay } from './roles.ts';

const RAN_OUT = 'Your log-in has run out, or it was ended in another browser.';
const ENDED = 'This log-in was ended: in another tab or browser, or because how you log in was changed.';

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
  /** What the log-in page has to say: why somebody who was here is not logged in any more, or what was done. */
  notice: string | null = $state(null);
  /** What kind of installation this is; `null` while that is not known. */
  about: About | null = $state.raw(null);
  readonly confirmation = new Confirmation();
  /** Who may do what. */
  roles: Roles | null = $state.raw(null);
  /** Teams that the person was taken out of, or left elsewhere, while they were here. */
  lost: readonly LostTeam[] = $state.raw([]);
  /** What the live connection was asked to watch. */
  private watched: TeamId[] = [];

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
    this.notice = null;
    this.connect();
  }

  /** Opens the live connection, anew where there is one. */
  private connect(): void {
    this.feed?.close();
    this.feed = openFeed({ renew: () => this.renew() });
    this.feed.askRate(this.pace.maxHz);
    this.rigs.follow(this.feed);
    this.feed.listen(this.rightsTaken(() => void this.lookAgain()));
    this.watch();
  }

  /** Tells that something is not shown that was to be: the connection was ended, or a team refused (told once). */
  private rightsTaken(tell: () => void): FeedListener {
    let isRefused = false;
    return {
      onLink: (link) => link === 'stopped' && tell(),
      onMessage: (message) => {
        if (message.type !== 'refused' || message.session !== null || isRefused) return;
        isRefused = true;
        tell();
      },
    };
  }

  /** The log-in may have ended, or one may be in a team no more, while the others are there as before. */
  private async lookAgain(): Promise<void> {
    if ((await this.api.renew()) === 'logged_out') return this.toLogin(ENDED);
    try {
      await this.refresh();
    } catch {
      // The bar says that the connection is gone.
    }
  }

  /** Reads again who is logged in and which teams there are: after a change of name, team or role. */
  async refresh(): Promise<void> {
    const me = await this.api.get<Me>('/api/me');
    const lost = lostTeams(this.me?.teams ?? [], me.teams, (team) => this.rigs.idsOf(team));
    this.lost = [...this.lost, ...lost].filter(({ id }) => !me.teams.some((team) => team.id === id));
    this.me = me;
    if (isOutdated(this.watched, me.teams)) this.connect();
    else this.watch();
  }

  /** Asks what all rigs are doing: at the start, and when there are others than before. */
  watch(): void {
    this.watched = this.me?.teams.filter(isOpen).map((team) => team.id) ?? [];
    this.feed?.watch(this.watched);
  }

  /** After log-in or sign-up: to where the person wanted to go. */
  async arrive(me: Me): Promise<void> {
    const to = returnPath(this.router.search);
    await this.enter(me);
    this.router.go(to, { replace: true });
  }

  async logout(): Promise<void> {
    await this.depart(() => this.api.post('/api/auth/logout'), null);
  }

  /** Does what ends this log-in too, and goes to the log-in page, which says what was done. */
  async depart(work: () => Promise<unknown>, notice: string | null): Promise<void> {
    // Its connection is about to end, and that is no surprise.
    this.feed?.close();
    try {
      await work();
    } catch (error) {
      if (this.me != null) this.connect();
      throw error;
    }
    this.leave();
    this.router.secrets.dropInvitation();
    this.notice = notice;
    this.router.go(paths.login());
  }

  team(id: string): Team | null {
    return this.me?.teams.find((team) => team.id === id) ?? null;
  }

  /** The team of a page that the person can no longer look at. */
  lostOn(route: Route): LostTeam | null {
    const isOf = (lost: LostTeam) =>
      ('team' in route && route.team === lost.id) || (route.page === 'live' && lost.rigs.includes(route.rig));
    return this.lost.find(isOf) ?? null;
  }

  /** Whether the person may do this in a team. Only for what is shown: the service asks for itself. */
  can(team: string, action: Action): boolean {
    return may(this.roles, this.team(team)?.role, action);
  }

  /** The roles that may do this: "owner or engineer". */
  whoMay(action: Action): string {
    return whoMay(this.roles, action);
  }

  private async renew(): Promise<Renewal> {
    const renewal = await this.api.renew();
    if (renewal === 'logged_out') this.toLogin();
    return renewal;
  }

  private toLogin(why = RAN_OUT): void {
    if (this.me != null) this.notice = `${why} Log in again to go on where you were.`;
    this.leave();
    if (!isPublic(this.router.route.page)) {
      this.router.go(paths.login(this.router.path + this.router.search), { replace: true });
    }
  }

  private leave(): void {
    this.feed?.close();
    this.feed = null;
    this.rigs.reset();
    [this.me, this.lost] = [null, []];
  }
}

export const app = new App();
