/** Teams that somebody can no longer look at, though they could a moment ago: pure functions over what `/api/me` tells. */
import type { Team } from '../../api/types.ts';
import type { RigId, TeamId } from '../../protocol.gen.ts';

export interface LostTeam {
  id: TeamId;
  name: string;
  /** Its rigs, as far as they were known: pages of theirs are pages of the team. */
  rigs: readonly RigId[];
}

/** Whether a team can be looked at. */
export const isOpen = (team: Team): boolean => team.disabled === null;

/** The teams that one was in before and is no longer. */
export function lostTeams(
  before: readonly Team[],
  after: readonly Team[],
  rigsOf: (team: TeamId) => RigId[],
): LostTeam[] {
  const gone = before.filter((team) => !after.some(({ id }) => id === team.id));
  return gone.map(({ id, name }) => ({ id, name, rigs: rigsOf(id) }));
}

/** Whether the live connection was opened for a team that it must not show any more. */
export function isOutdated(watched: readonly TeamId[], teams: readonly Team[]): boolean {
  return watched.some((id) => !teams.some((team) => team.id === id && isOpen(team)));
}
