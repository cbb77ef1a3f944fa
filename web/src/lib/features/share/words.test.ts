import { describe, expect, it } from 'vitest';
import type { Share, SharedView } from '../../api/types.ts';
import { delayText, endOf, kindText, limitsText, overWords, stateOf } from './words.ts';

const share: Share = {
  id: 's',
  name: 'Our race',
  kind: 'team',
  session: null,
  rig: null,
  shows_history: false,
  shows_setup: false,
  delay_s: 0,
  has_password: false,
  made_by: 'Ingrid',
  created_at: '2026-11-20T10:00:00Z',
  expires_at: '2026-11-21T10:00:00Z',
  revoked_at: null,
  opened: 0,
  last_opened_at: null,
  watching: 0,
};
const noon = Date.parse('2026-11-20T12:00:00Z');

describe('a share link in words', () => {
  it.each([
    [1, '1 s'],
    [59, '59 s'],
    [60, '1 min'],
    [90, '1:30 min'],
    [605, '10:05 min'],
  ])('%i seconds late', (s, text) => expect(delayText(s)).toBe(text));

  it('is open, expired or revoked, and revoked whenever that was', () => {
    expect(stateOf(share, noon)).toBe('open');
    expect(stateOf(share, Date.parse(share.expires_at))).toBe('expired');
    const revoked = { ...share, revoked_at: '2026-11-20T11:00:00Z' };
    expect(stateOf(revoked, noon)).toBe('revoked');
    expect(stateOf(revoked, noon + 1e12)).toBe('revoked');
    expect([endOf(share, noon)[0], endOf(revoked, noon)[0]]).toEqual(['Open until', 'Revoked']);
    expect(endOf(revoked, noon)[1]).toMatch(/^2026-11-20/);
    expect(endOf(share, noon + 1e12)).toEqual(['Expired', endOf(share, noon)[1]]);
  });

  it('says what is shown and how', () => {
    expect(limitsText(share)).toBe('live only');
    const all = { ...share, shows_history: true, shows_setup: true, delay_s: 30, has_password: true };
    expect(limitsText(all)).toBe('with recorded laps, with setups, 30 s late, with a password');
    expect([
      kindText('session', null),
      kindText('rig', 'RIG_A'),
      kindText('rig', null),
      kindText('team', null),
    ]).toEqual(['one session', 'rig RIG_A', 'a rig', 'the whole team']);
  });

  it('tells an end by time from one by the team', () => {
    const view = { team_name: 'Ours', expires_at: share.expires_at } as SharedView;
    expect(overWords(view, true).title).toContain('expired');
    expect(overWords(view, false).title).toContain('revoked');
    expect(overWords(view, false).text).toContain('Ours');
  });
});
