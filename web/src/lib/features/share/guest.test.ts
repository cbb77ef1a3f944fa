import { describe, expect, it } from 'vitest';
import type { SharedView } from '../../api/types.ts';
import type { RigState } from '../../protocol.gen.ts';
import { shownOf } from './guest.ts';

const view = (over: Partial<SharedView>): SharedView => ({
  team: 't',
  team_name: 'Ours',
  name: 'us',
  kind: 'team',
  session: null,
  rig: null,
  shows_history: false,
  shows_setup: false,
  delay_s: 0,
  expires_at: '2026-11-21T10:00:00Z',
  ...over,
});
const rig = (id: string, session: string | null = null, connected = true) =>
  ({ rig: id, name: id, session, connected }) as RigState;

describe('a link to a session', () => {
  const live = view({ kind: 'session', session: 's' });
  const both = view({ kind: 'session', session: 's', shows_history: true });

  it('shows it live while it runs', () => {
    expect(shownOf(live, '', [rig('a', 's')])).toEqual({ is: 'rig', rig: 'a' });
    expect(shownOf(both, '', [rig('a', 's')])).toEqual({ is: 'rig', rig: 'a' });
  });

  it('shows its record where that is part of the link, when it is over or chosen', () => {
    expect(shownOf(both, '', [])).toEqual({ is: 'session', session: 's' });
    expect(shownOf(both, '', [rig('a', 's', false)])).toEqual({ is: 'session', session: 's' });
    expect(shownOf(both, '?show=recorded&lap=3', [rig('a', 's')])).toEqual({ is: 'session', session: 's' });
    expect(shownOf(both, '?show=live', [])).toEqual({ is: 'nothing' });
    expect(shownOf(live, '?show=recorded', [])).toEqual({ is: 'nothing' });
  });

  it('waits until it knows whether it runs', () => {
    expect(shownOf(live, '', undefined)).toEqual({ is: 'waiting' });
    expect(shownOf(both, '', undefined)).toEqual({ is: 'waiting' });
  });
});

describe('a link to rigs', () => {
  it('shows the only one, or lets choose', () => {
    expect(shownOf(view({}), '', undefined)).toEqual({ is: 'waiting' });
    expect(shownOf(view({ kind: 'rig', rig: 'a' }), '', [rig('a')])).toEqual({ is: 'rig', rig: 'a' });
    const two = [rig('a'), rig('b')];
    expect(shownOf(view({}), '', two)).toEqual({ is: 'rigs', rigs: two });
    expect(shownOf(view({}), '?rig=b', two)).toEqual({ is: 'rig', rig: 'b' });
    expect(shownOf(view({}), '?rig=other', two)).toEqual({ is: 'rigs', rigs: two });
    expect(shownOf(view({}), '', [])).toEqual({ is: 'rigs', rigs: [] });
  });

  it('shows recorded sessions only where they are part of it', () => {
    expect(shownOf(view({}), '?show=recorded&session=s', [rig('a')])).toEqual({ is: 'rig', rig: 'a' });
    const both = view({ shows_history: true });
    expect(shownOf(both, '?show=recorded', undefined)).toEqual({ is: 'sessions' });
    expect(shownOf(both, '?show=recorded&session=s', undefined)).toEqual({ is: 'session', session: 's' });
  });
});
