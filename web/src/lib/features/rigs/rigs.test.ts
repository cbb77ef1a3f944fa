import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { idleRig as rig } from '../../fixtures/rigs.ts';
import type { FeedListener } from '../../live/feed.ts';
import { Rigs } from './rigs.svelte.ts';

describe('Rigs', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('tells a rig that is not known yet from one that is not there', () => {
    const rigs = new Rigs();
    expect(rigs.state('t', 'a')).toBeUndefined();
    expect(rigs.teamOf('a', ['t', 'u'])).toBeUndefined();
    rigs.apply({ type: 'rigs', team: 't', rigs: [rig('a')] });
    expect(rigs.state('t', 'a')?.name).toBe('a');
    expect(rigs.state('t', 'b')).toBeNull();
    expect(rigs.teamOf('a', ['t', 'u'])).toBe('t');
    expect(rigs.teamOf('b', ['t', 'u'])).toBeUndefined();
    rigs.apply({ type: 'rigs', team: 'u', rigs: [] });
    expect(rigs.teamOf('b', ['t', 'u'])).toBeNull();
    expect([rigs.idsOf('t'), rigs.idsOf('u'), rigs.idsOf('v')]).toEqual([['a'], [], []]);
  });

  it('a message about one rig leaves the others', () => {
    const rigs = new Rigs();
    rigs.apply({ type: 'rigs', team: 't', rigs: [rig('a'), rig('b')] });
    rigs.apply({ type: 'rigs', team: 't', rigs: [rig('b', { connected: true })] });
    expect([rigs.state('t', 'a')?.connected, rigs.state('t', 'b')?.connected]).toEqual([false, true]);
  });

  it('follows one feed at a time, and moves its clock on', () => {
    const listeners = new Set<FeedListener>();
    let server = 5000;
    const feed = {
      listen: (listener: FeedListener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      serverNow: () => server,
    };
    const rigs = new Rigs();
    rigs.follow(feed);
    rigs.follow(feed);
    expect(listeners.size).toBe(1);
    listeners.forEach((listener) => listener.onLink?.('reconnecting', 'restart'));
    expect([rigs.link, rigs.linkWhy]).toEqual(['reconnecting', 'restart']);
    server = 6000;
    vi.advanceTimersByTime(1000);
    expect(rigs.nowMs).toBe(6000);
    rigs.reset();
    expect(listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
