import { expect, it } from 'vitest';
import type { SessionSummary } from '../../api/types.ts';
import { type Draft, choicesOf, ofSession, requestOf, wrongDelay } from './draft.ts';

const session = (over: Partial<SessionSummary> = {}): SessionSummary => ({
  id: 'x',
  rig: 'a',
  rig_name: 'RIG_A',
  game: 'lmu',
  kind: 'race',
  kind_number: 1,
  track: 'Spa',
  car_name: '963',
  class: null,
  driver: 'A',
  started_at: '2026-11-20T10:00:00Z',
  last_at: '2026-11-20T11:00:00Z',
  ended_at: null,
  end_reason: null,
  laps: 3,
  best_ms: null,
  ...over,
});
const draft: Draft = {
  name: ' Us ',
  showsHistory: false,
  showsSetup: false,
  delayS: '30',
  password: null,
  hours: '24',
};

it('offers rigs, the team and sessions, each once', () => {
  const choices = choicesOf([{ id: 'a', name: 'RIG_A' }], [session()], 'Ours');
  expect(choices.map(({ kind, id, name }) => [kind, id, name])).toEqual([
    ['rig', 'a', 'RIG_A'],
    ['team', null, 'Ours'],
    ['session', 'x', 'Spa, Race 1'],
  ]);
  expect(new Set(choices.map(({ key }) => key)).size).toBe(3);
});

it('names only what it is of', () => {
  const [rig, team] = choicesOf([{ id: 'a', name: 'RIG_A' }], [], 'Ours');
  if (rig === undefined || team === undefined) throw new Error('two choices');
  expect(requestOf(rig, draft)).toEqual({
    name: 'Us',
    kind: 'rig',
    session: null,
    rig: 'a',
    shows_history: false,
    shows_setup: false,
    delay_s: 30,
    expires_in_h: 24,
    password: null,
  });
  expect(requestOf(team, draft)).toMatchObject({ kind: 'team', session: null, rig: null });
});

it('shows the record of a session that is over, whatever was chosen', () => {
  expect(requestOf(ofSession(session()), draft).shows_history).toBe(false);
  expect(requestOf(ofSession(session()), { ...draft, showsHistory: null }).shows_history).toBe(true);
  const over = ofSession(session({ ended_at: '2026-11-20T11:00:00Z' }));
  expect(requestOf(over, draft)).toMatchObject({ shows_history: true, delay_s: 0 });
});

it.each(['', '-1', '1.5', '601', 'x', '1e2'])('%s is no delay', (text) => expect(wrongDelay(text)).not.toBeNull());
it.each(['0', '30', ' 600 '])('%s is a delay', (text) => expect(wrongDelay(text)).toBeNull());
