import { describe, expect, it } from 'vitest';
import { type Credential, countText, daysOf, inOrder, lifeText, overlapText, standing, useText } from './credential.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const DAY = 24 * 3_600_000;
const inDays = (days: number) => new Date(NOW + days * DAY).toISOString();
const credential = (over: Partial<Credential> = {}): Credential => ({
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
  last_used_from: null,
  ...over,
});

describe('a token or key', () => {
  it('is good until it expires or is revoked, and says so some days before', () => {
    const standings = [
      credential(),
      credential({ expires_at: inDays(30) }),
      credential({ expires_at: inDays(3) }),
      credential({ expires_at: inDays(0) }),
      credential({ expires_at: inDays(-1), revoked_at: inDays(-2) }),
    ].map((one) => standing(one, NOW));
    expect(standings).toEqual(['good', 'good', 'ends_soon', 'expired', 'revoked']);
  });

  it('says how long it is good', () => {
    expect(lifeText(credential(), NOW)).toBe('does not expire');
    expect(lifeText(credential({ expires_at: inDays(30) }), NOW)).toMatch(/^expires 2026-12-20 /);
    expect(lifeText(credential({ expires_at: inDays(3) }), NOW)).toMatch(/^expires in 3 days \(2026-11-23 /);
    expect(lifeText(credential({ expires_at: inDays(-1) }), NOW)).toMatch(/^expired 2026-11-19 /);
    expect(lifeText(credential({ revoked_at: inDays(-1) }), NOW)).toMatch(/^revoked 2026-11-19 /);
  });

  it('says when and from where it was used last', () => {
    expect(useText(credential())).toBe('never used');
    const used = credential({ last_used_at: inDays(-1), last_used_from: '203.0.113.7' });
    expect(useText(used)).toMatch(/^last used 2026-11-19 \d\d:\d\d from 203\.0\.113\.7$/);
    expect(useText({ ...used, last_used_from: null })).toMatch(/^last used 2026-11-19 \d\d:\d\d$/);
  });

  it('stands after those that are good once it is not, and is counted so', () => {
    const [gone, good] = [credential({ revoked_at: inDays(-1) }), credential()];
    expect(inOrder([gone, good], NOW)).toEqual([good, gone]);
    expect(countText([gone, good], 'token', NOW)).toBe('1 token, 1 expired or revoked');
    expect(countText([], 'token', NOW)).toBe('0 tokens');
  });

  it('lives so many days, or for ever', () => {
    expect([daysOf('90'), daysOf('')]).toEqual([90, null]);
  });

  it('goes on for a while beside the one that takes its place', () => {
    expect(overlapText(24)).toBe('The old token is good for one more day. Give the agent the new one before.');
    expect(overlapText(5)).toContain('5 more hours');
    expect(overlapText(0)).toContain('has ended');
  });
});
