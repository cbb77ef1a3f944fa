/**
 * A share link from the other side: somebody without an account opens it, looks, and is told when it ends.
 *
 * Invariants: the secret is sent once (and again with the password) and kept nowhere; the live connection is open as long
 * as the link is, so that its end is known within seconds whatever is shown; after the end nothing is asked for any more.
 *
 * Not here: what is shown (`Guest.svelte`).
 */
import { type ApiError, problemOf } from '../../api/client.ts';
import type { Action, SharedView } from '../../api/types.ts';
import type { Viewer } from '../../app/viewer.ts';
import type { Feed } from '../../live/feed.ts';
import { Rigs } from '../rigs/rigs.svelte.ts';
import type { ShareClient } from './share-client.ts';
import { Wait } from '../../ui/wait.svelte.ts';
import { type Over, overWords } from './words.ts';

export type Stage =
  /** The link is being opened. */
  | { at: 'opening' }
  /** It needs a password. */
  | { at: 'locked' }
  | { at: 'open'; share: SharedView }
  /** There is nothing (any more). */
  | ({ at: 'over' } & Over)
  /** It could not be opened now; another try may help. */
  | { at: 'failed'; problem: ApiError };

interface Parts {
  api: ShareClient;
  openFeed: (share: SharedView) => Feed;
  now?: () => number;
}

const NO_LINK: Over = {
  title: 'No link is open here',
  text: 'The link that was opened in this browser has ended, or none was opened. Open the link that you were sent.',
};
/** Timers of browsers cannot be longer than 24 days. */
const LONGEST_WAIT_MS = 3_600_000;

export class Visit implements Viewer {
  stage: Stage = $state.raw({ at: 'opening' });
  readonly rigs = new Rigs();
  feed: Feed | null = $state.raw(null);
  /** Until the first can be shown, where everything is held back: since the connection was made. */
  readonly wait: Wait;
  readonly api: ShareClient;
  private expiry: ReturnType<typeof setTimeout> | undefined;
  private readonly now: () => number;

  constructor(
    private readonly secret: string | null,
    private readonly parts: Parts,
  ) {
    this.api = parts.api;
    this.now = parts.now ?? Date.now;
    this.wait = new Wait(this.now);
    this.api.onLoggedOut = () => this.end();
  }

  get share(): SharedView | null {
    return this.stage.at === 'open' ? this.stage.share : null;
  }

  can(team: string, action: Action): boolean {
    const { share } = this;
    if (share?.team !== team) return false;
    if (action === 'see_history') return share.shows_history;
    return action === 'see_setups' ? share.shows_setup : action === 'see_live';
  }

  sessions(team: string): string | null {
    return this.can(team, 'see_history') ? '/shared?show=recorded' : null;
  }

  session(team: string, session: string): string | null {
    return this.can(team, 'see_history') ? `/shared?show=recorded&session=${session}` : null;
  }

  /** Opens the link, or goes on with the one that this browser has opened before. */
  async open(): Promise<void> {
    this.stage = { at: 'opening' };
    try {
      this.enter(await this.ask(null));
    } catch (error) {
      this.stage = refusal(problemOf(error), this.secret !== null);
    }
  }

  /** Opens it with its password; throws where that is wrong. */
  async unlock(password: string): Promise<void> {
    try {
      this.enter(await this.ask(password));
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status === 404) this.stage = refusal(problem, true);
      else throw problem;
    }
  }

  /** Forgets the link in this browser. */
  async close(): Promise<void> {
    await this.api.post('/api/shares/close');
    this.leave();
    this.stage = { at: 'over', title: 'Closed', text: 'This browser has forgotten the link. Open it again to go on.' };
  }

  /** To be called when the page goes. */
  leave(): void {
    clearTimeout(this.expiry);
    this.feed?.close();
    this.feed = null;
    this.rigs.reset();
  }

  private ask(password: string | null): Promise<SharedView> {
    const { secret } = this;
    return secret === null
      ? this.api.get<SharedView>('/api/shares/current')
      : this.api.post<SharedView>('/api/shares/open', { secret, password });
  }

  private enter(share: SharedView): void {
    const feed = this.parts.openFeed(share);
    [this.stage, this.feed] = [{ at: 'open', share }, feed];
    this.rigs.follow(feed);
    feed.listen({
      onLink: (link) => {
        if (link === 'open') this.wait.begin(share.delay_s);
        if (link === 'stopped') this.end();
      },
    });
    feed.watch([share.team]);
    this.expectExpiry(share);
  }

  /** The service closes the connection at the latest half a minute after the end; this page asks in time. */
  private expectExpiry(share: SharedView): void {
    const leftMs = Date.parse(share.expires_at) - this.serviceMs(share);
    this.expiry = setTimeout(
      () => {
        if (leftMs > LONGEST_WAIT_MS) this.expectExpiry(share);
        else void this.api.get('/api/shares/current').catch(() => undefined);
      },
      Math.min(Math.max(0, leftMs) + 1000, LONGEST_WAIT_MS),
    );
  }

  /** The service's clock now, whatever is shown. */
  private serviceMs(share: SharedView): number {
    return (this.feed?.serverNow() ?? this.now()) + share.delay_s * 1000;
  }

  private end(): void {
    const { share } = this;
    if (share === null) return;
    const isExpired = this.serviceMs(share) >= Date.parse(share.expires_at);
    this.leave();
    this.stage = { at: 'over', ...overWords(share, isExpired) };
  }
}

/** What a link that was not opened leads to. */
function refusal(problem: ApiError, hasSecret: boolean): Stage {
  if (problem.status === 401) return { at: 'over', ...NO_LINK };
  if (problem.status === 422 && problem.field === 'password') return { at: 'locked' };
  if (hasSecret && (problem.status === 404 || problem.status === 422)) {
    return { at: 'over', title: 'This link does not open', text: problem.message };
  }
  return { at: 'failed', problem };
}
