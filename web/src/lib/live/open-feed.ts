/** Gives a `Feed` the browser's parts: the worker, and where the service listens. */
import { Feed, type Renew } from './feed.ts';

interface Wanted {
  renew: Renew;
  /** What a share link shows, instead of what the person may see. */
  asShare?: boolean;
  /** How far the service holds everything back. */
  behindMs?: number;
}

export function openFeed({ renew, asShare = false, behindMs = 0 }: Wanted): Feed {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const url = `${scheme}://${location.host}/api/live/ws${asShare ? '?as=share' : ''}`;
  const feed = new Feed(worker, url, renew, undefined, undefined, behindMs);
  if (document.visibilityState === 'hidden') feed.see(false);
  return feed;
}
