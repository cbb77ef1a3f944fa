import { expect, it } from 'vitest';
import type { Roles } from '../api/types.ts';
import { may, whoMay } from './roles.ts';

const table: Roles = {
  roles: [],
  actions: [
    { action: 'see_audit', what: 'see the audit log', roles: ['owner'] },
    { action: 'manage_rigs', what: 'add rigs', roles: ['owner', 'engineer'] },
  ],
};

it('allows what the table allows, and nothing without table, role or line', () => {
  expect(may(table, 'engineer', 'manage_rigs')).toBe(true);
  expect(may(table, 'engineer', 'see_audit')).toBe(false);
  expect(may(table, 'owner', 'see_live')).toBe(false);
  expect(may(table, undefined, 'manage_rigs')).toBe(false);
  expect(may(null, 'owner', 'manage_rigs')).toBe(false);
});

it('says who may', () => expect(whoMay(table, 'manage_rigs')).toBe('owner or engineer'));
