/** What roles are called. Which role may do what comes from the service (`/api/roles`). */
import type { Role } from '../../api/types.ts';

/** The mightiest first. */
export const ROLES: readonly Role[] = ['owner', 'engineer', 'driver', 'viewer'];

const NAMES: Record<Role, { name: string; a: string }> = {
  owner: { name: 'Owner', a: 'an owner' },
  engineer: { name: 'Engineer', a: 'an engineer' },
  driver: { name: 'Driver', a: 'a driver' },
  viewer: { name: 'Viewer', a: 'a viewer' },
};

/** `Engineer` */
export const roleName = (role: Role): string => NAMES[role].name;
/** `an engineer` */
export const aRole = (role: Role): string => NAMES[role].a;

/** A role as some record has it; one that is not known is quoted. */
export function aRoleOf(word: unknown): string {
  if (ROLES.includes(word as Role)) return aRole(word as Role);
  return typeof word === 'string' ? `“${word}”` : 'a member';
}
