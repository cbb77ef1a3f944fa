/**
 * Secrets that a link carries behind its `#`: taken out of the address bar as soon as they are seen, so that they stay in
 * no history and on no screenshot.
 *
 * Invariants: a secret is given out once, but for that of an invitation: it is kept until it is dropped, because whoever is
 * invited may have to log in first, or sign up by a letter that opens in another tab. It is kept for a day at most.
 *
 * Not here: what a secret is good for (the pages).
 */
import { type Page, hasSecret } from './routes.ts';

/** The part of `localStorage` that is used. */
export type Keeper = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const KEY = 'onelap.invitation';
const KEPT_MS = 24 * 3600 * 1000;

export class Secrets {
  private readonly seen = new Map<Page, string>();

  constructor(
    private readonly keeper: Keeper | null,
    private readonly now: () => number = Date.now,
  ) {}

  /** Whether the fragment is a secret of this page, which is remembered then and has to leave the address. */
  notice(page: Page, hash: string): boolean {
    const secret = hash.replace(/^#/, '');
    if (secret === '' || !hasSecret(page)) return false;
    if (page === 'join') this.keepInvitation(secret);
    this.seen.set(page, secret);
    return true;
  }

  /** What the link that led to a page carried; `null` where it carried nothing, or it was taken before. */
  take(page: Page): string | null {
    const secret = this.seen.get(page) ?? null;
    this.seen.delete(page);
    return secret;
  }

  /** The invitation that waits to be accepted, in whatever tab its link was opened. */
  invitation(): string | null {
    const secret = this.seen.get('join');
    if (secret !== undefined) return secret;
    try {
      const { secret, until } = JSON.parse(this.keeper?.getItem(KEY) ?? '{}') as { secret?: unknown; until?: unknown };
      if (typeof secret === 'string' && typeof until === 'number' && until > this.now()) return secret;
      this.keeper?.removeItem(KEY);
    } catch {
      // What cannot be read is none.
    }
    return null;
  }

  /** It was accepted, refused, or its person has logged out. */
  dropInvitation(): void {
    this.seen.delete('join');
    try {
      this.keeper?.removeItem(KEY);
    } catch {
      // A browser that keeps nothing has nothing to remove.
    }
  }

  private keepInvitation(secret: string): void {
    try {
      this.keeper?.setItem(KEY, JSON.stringify({ secret, until: this.now() + KEPT_MS }));
    } catch {
      // Not kept where the browser keeps nothing: it holds for this tab.
    }
  }
}

/** The browser's own, where there is one. */
export function localKeeper(): Keeper | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
