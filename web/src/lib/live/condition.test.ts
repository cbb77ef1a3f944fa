import { describe, expect, it } from 'vitest';
import { NOW, drivenRig as rig } from '../fixtures/rigs.ts';
import type { RigState } from '../protocol.gen.ts';
import { type DashboardFacts, STALE_MS, dashboardCondition, linkCondition, rigCondition } from './condition.ts';

const facts = (over: Partial<DashboardFacts> = {}): DashboardFacts => ({
  link: 'open',
  rig: rig(),
  ageMs: 100,
  ended: false,
  endReason: null,
  ...over,
});

it('calls a rig live that is away for a moment, as when it moves to another instance', () => {
  const away = { rig: rig({ connected: false }) };
  expect(dashboardCondition(facts({ ...away, ageMs: 400 }), NOW)).toEqual({ kind: 'live' });
  expect(dashboardCondition(facts({ ...away, ageMs: 1001 }), NOW)).toEqual({
    kind: 'stale',
    ageMs: 1001,
    why: 'offline',
  });
  const paused = { rig: rig({ connected: false, state: 'paused' }) };
  expect(dashboardCondition(facts({ ...paused, ageMs: 400 }), NOW)).toMatchObject({ kind: 'stale' });
});

describe('rigCondition', () => {
  it.each<[string, Partial<RigState>, unknown]>([
    ['never', { connected: false, since_ms: null, last_sample_ms: null }, { kind: 'never' }],
    ['offline', { connected: false, since_ms: 5 }, { kind: 'offline', sinceMs: 5 }],
    ['no_game', { state: 'not_running' }, { kind: 'no_game' }],
    ['menu', { state: 'menu' }, { kind: 'menu' }],
    ['garage', { state: 'garage' }, { kind: 'garage' }],
    ['live', {}, { kind: 'live' }],
    ['stale', { last_sample_ms: NOW - 12_000 }, { kind: 'stale', ageMs: 12_000, why: 'silent' }],
    ['no sample yet', { last_sample_ms: null }, { kind: 'stale', ageMs: 60_000, why: 'silent' }],
  ])('%s', (_name, over, expected) => {
    expect(rigCondition(rig(over), NOW)).toEqual(expected);
  });

  it('does not call a rig new whose token was used, though the service has forgotten when', () => {
    const away = rig({ connected: false, since_ms: null, last_sample_ms: null });
    expect(rigCondition(away, NOW, true)).toEqual({ kind: 'offline', sinceMs: null });
  });

  it('does not call a sample from the future stale', () => {
    expect(rigCondition(rig({ last_sample_ms: NOW + 5000 }), NOW)).toEqual({ kind: 'live' });
  });
});

it('a connection that is cut says so whatever the rig was last known to do', () => {
  expect(linkCondition('reconnecting')).toEqual({ kind: 'reconnecting', ageMs: null });
  expect(linkCondition('stopped')).toEqual({ kind: 'stopped' });
  expect(linkCondition('open')).toBeNull();
  expect(linkCondition('connecting')).toBeNull();
});

describe('dashboardCondition', () => {
  it.each<[string, Partial<DashboardFacts>, unknown]>([
    ['first connection', { link: 'connecting' }, { kind: 'connecting' }],
    ['rigs not told yet', { rig: undefined }, { kind: 'connecting' }],
    ['connection lost', { link: 'reconnecting', ageMs: 7000 }, { kind: 'reconnecting', ageMs: 7000 }],
    ['logged out', { link: 'stopped' }, { kind: 'stopped' }],
    ['no rig', { rig: null }, { kind: 'no_rig' }],
    [
      'never connected',
      { rig: rig({ connected: false, since_ms: null, last_sample_ms: null }), ageMs: null },
      { kind: 'never' },
    ],
    [
      'agent gone, nothing shown',
      { rig: rig({ connected: false }), ageMs: null },
      { kind: 'offline', sinceMs: NOW - 60_000 },
    ],
    [
      'agent gone, data shown',
      { rig: rig({ connected: false }), ageMs: 12_000 },
      { kind: 'stale', ageMs: 12_000, why: 'offline' },
    ],
    ['menu', { rig: rig({ state: 'menu' }), ageMs: 9000 }, { kind: 'menu' }],
    ['menu after a session', { rig: rig({ state: 'menu' }), ended: true, endReason: 'left' }, { kind: 'menu' }],
    [
      'session over',
      { rig: rig({ state: 'not_running' }), ended: true, endReason: 'game_closed' },
      { kind: 'over', reason: 'game_closed' },
    ],
    ['live', {}, { kind: 'live' }],
    ['live over a slow line', { slowHz: 2 }, { kind: 'live', slowHz: 2 }],
    ['just fresh', { ageMs: STALE_MS }, { kind: 'live' }],
    ['stale', { ageMs: 12_000 }, { kind: 'stale', ageMs: 12_000, why: 'silent' }],
    [
      'game killed',
      { rig: rig({ state: 'not_running' }), ageMs: 12_000 },
      { kind: 'stale', ageMs: 12_000, why: 'no_game' },
    ],
    ['game not started', { rig: rig({ state: 'not_running' }), ageMs: null }, { kind: 'no_game' }],
    ['garage', { rig: rig({ state: 'garage' }), ageMs: 30_000 }, { kind: 'garage' }],
  ])('%s', (_name, over, expected) => {
    expect(dashboardCondition(facts(over), NOW)).toEqual(expected);
  });
});
