/** The address bar as state; the history API and nothing more. */
import { type Route, routeOf } from './routes.ts';
import { Secrets, localKeeper } from './secrets.ts';

export class Router {
  path = $state(location.pathname);
  search = $state(location.search);
  readonly route: Route = $derived(routeOf(this.path));

  /** What links carried behind their `#`. */
  readonly secrets = new Secrets(localKeeper());
  /** How often a link with a secret was opened: a page that is shown already is made anew for another one. */
  links = $state(0);

  constructor() {
    this.hideSecret();
    addEventListener('popstate', () => this.read());
    addEventListener('click', (event) => this.follow(event));
  }

  go(path: string, { replace = false } = {}): void {
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    const before = this.path;
    this.read();
    if (this.path !== before) scrollTo(0, 0);
  }

  /** Changes the query only, without a new entry in the history. */
  query(changes: Record<string, string | null>): void {
    const query = new URLSearchParams(this.search);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) query.delete(key);
      else query.set(key, value);
    }
    const text = query.toString().replaceAll('%2C', ',');
    history.replaceState(null, '', this.path + (text === '' ? '' : `?${text}`));
    this.read();
  }

  private read(): void {
    this.hideSecret();
    this.path = location.pathname;
    this.search = location.search;
  }

  /** Takes the secret of a link out of the address bar and the history. */
  private hideSecret(): void {
    if (!this.secrets.notice(routeOf(location.pathname).page, location.hash)) return;
    history.replaceState(null, '', location.pathname + location.search);
    this.links += 1;
  }

  /** A plain click on a link of the app. */
  private follow(event: MouseEvent): void {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    ) {
      return;
    }
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.origin !== location.origin || link.target !== '' || link.hasAttribute('download')) return;
    if (link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    this.go(link.pathname + link.search + link.hash);
  }
}
