/** The service's table of who may do what (`/api/roles`), asked by role. */
import type { Action, Role, Roles } from '../api/types.ts';

/** Whether a role may; who has none, or while the table is not there, may nothing. */
export function may(roles: Roles | null, role: Role | undefined, action: Action): boolean {
  if (role === undefined) return false;
  return roles?.actions.find((row) => row.action === action)?.roles.includes(role) ?? false;
}

/** The roles that may, as a sentence has them: "owner or engineer". */
export function whoMay(roles: Roles | null, action: Action): string {
  return roles?.actions.find((row) => row.action === action)?.roles.join(' or ') ?? 'owner';
}
