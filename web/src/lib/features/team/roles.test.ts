import { expect, it } from 'vitest';
import { ROLES, aRole, aRoleOf, roleName } from './roles.ts';

it('calls every role by its name', () => {
  expect(ROLES.map(roleName)).toEqual(['Owner', 'Engineer', 'Driver', 'Viewer']);
  expect(ROLES.map(aRole)).toEqual(['an owner', 'an engineer', 'a driver', 'a viewer']);
});

it('quotes a role that it does not know', () => {
  expect([aRoleOf('owner'), aRoleOf('mechanic'), aRoleOf(undefined)]).toEqual(['an owner', '“mechanic”', 'a member']);
});
