import { describe, expect, it } from 'vitest';
import type { Act, AuditEntry } from '../../api/types.ts';
import { ACTS, KINDS, actor, sentence } from './audit-words.ts';

const entry = (action: Act, over: Partial<AuditEntry> = {}): AuditEntry => ({
  id: 'e',
  at: '2026-11-20T12:00:00Z',
  actor_kind: 'person',
  actor_id: 'p',
  actor_name: 'Lena',
  action,
  subject_kind: null,
  subject_id: null,
  subject_name: null,
  detail: {},
  address: '203.0.113.7',
  trace: 't',
  ...over,
});
const said = (action: Act, detail: AuditEntry['detail'] = {}, subject_name: string | null = null) =>
  sentence(entry(action, { detail, subject_name }));

describe('an entry as a sentence', () => {
  it('tells of the team', () => {
    expect(said('team.founded', { name: 'Ours' })).toBe('Lena founded the team as “Ours”.');
    expect(said('team.renamed', { from: 'A', to: 'B' })).toBe('Lena renamed the team from “A” to “B”.');
    expect(said('team.handed_over', {}, 'Max')).toBe('Lena handed the team over to Max and became an engineer.');
  });

  it('tells of members, and what ended with their rights', () => {
    expect(said('member.invited', { role: 'driver', email: 'max@x.org' })).toBe('Lena invited max@x.org as a driver.');
    expect(said('member.invited', { role: 'viewer', email: null })).toBe(
      'Lena invited whoever gets the link as a viewer.',
    );
    expect(said('invitation.revoked', {}, 'max@x.org')).toBe('Lena revoked the invitation of max@x.org.');
    expect(said('invitation.revoked')).toBe('Lena revoked an invitation by link.');
    expect(said('member.removed', { ended: { invitations: 0, shares: 0, api_keys: 0 } }, 'Max')).toBe(
      'Lena removed Max from the team.',
    );
    const ended = { invitations: 1, shares: 2, api_keys: 0 };
    expect(said('member.role_changed', { from: 'engineer', to: 'driver', ended }, 'Max')).toBe(
      'Lena changed Max from an engineer to a driver. With it ended what they had made: 1 invitation and 2 share links.',
    );
  });

  it('tells of rigs and tokens, of those that are no more as well', () => {
    expect(said('rig.added', { name: 'RIG_A' }, 'RIG_A')).toBe('Lena added the rig “RIG_A”.');
    expect(said('rig.deleted', { name: 'RIG_A' })).toBe('Lena deleted the rig “RIG_A”.');
    expect(said('token.made', { public_id: '0a1b', expires_in_days: 30 }, 'RIG_A')).toBe(
      'Lena made a token (0a1b) for the rig “RIG_A”, good for 30 days.',
    );
    expect(said('token.made', { public_id: '0a1b', by: 'pairing' }, 'RIG_A')).toContain('“RIG_A” by pairing.');
    expect(said('token.rotated', { public_id: '0a1b', overlap_h: 1 }, 'RIG_A')).toBe(
      'Lena replaced a token of the rig “RIG_A” by another (0a1b); the old one is good for 1 hour more.',
    );
    expect(said('token.rotated', { overlap_h: 0 }, 'RIG_A')).toContain('the old one ended at once');
    expect(said('token.revoked')).toBe('Lena revoked a token of a rig that is no more.');
    const machine = { name: 'SIMPC', address: '203.0.113.9' };
    expect(said('pairing.approved', machine, 'RIG_A')).toBe(
      'Lena let the agent on “SIMPC” (203.0.113.9) become the rig “RIG_A”.',
    );
    expect(said('pairing.approved', machine)).toContain('become the rig that is no more');
    expect(said('pairing.denied', machine)).toBe('Lena kept the agent on “SIMPC” (203.0.113.9) out.');
  });

  it('tells of share links and keys', () => {
    const detail = { kind: 'rig', delay_s: 30, shows_history: true, shows_setup: false, has_password: true };
    expect(said('share.made', detail, 'Stream')).toBe(
      'Lena made the share link “Stream” of one car, live, with history, 30 s later, behind a password.',
    );
    expect(said('api_key.made', { name: 'tool', scopes: ['read_live', 'read_setups'] })).toBe(
      'Lena made the API key “tool”, which may read live data and setups.',
    );
  });

  it('names who is no person, and who is no more', () => {
    expect(actor(entry('team.disabled', { actor_kind: 'operator', actor_name: null }))).toBe(
      'The operator of this service',
    );
    expect(sentence(entry('member.left', { actor_name: null }))).toBe(
      'Somebody whose account is no more left the team.',
    );
    expect(sentence(entry('team.disabled', { actor_kind: 'operator', detail: { reason: 'unpaid' } }))).toBe(
      'The operator of this service disabled the team: “unpaid”.',
    );
  });

  it('has a name in the list and words for every kind', () => {
    const acts = KINDS.flatMap(({ acts }) => acts);
    expect(acts.toSorted()).toEqual(Object.keys(ACTS).toSorted());
    for (const act of acts) expect(said(act), act).not.toMatch(/did “|undefined|null/);
  });

  it('does not fall over what a newer service writes', () => {
    expect(said('team.painted' as Act, { colour: 'red' })).toBe('Lena did “team.painted”.');
  });
});
