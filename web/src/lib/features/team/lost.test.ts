import { describe, expect, it } from 'vitest';
import type { Team } from '../../api/types.ts';
import { isOutdated, lostTeams } from './lost.ts';

const team = (id: string, over: Partial<Team> = {}): Team => ({
  id,
  name: id.toUpperCase(),
  role: 'engineer',
  delete_after: null,
  disabled: null,
  ...over,
});

describe('a team that is no longer one’s own', () => {
  it('is known by name and by its rigs', () => {
    const lost = lostTeams([team('a'), team('b')], [team('b')], (id) => [`rig of ${id}`]);
    expect(lost).toEqual([{ id: 'a', name: 'A', rigs: ['rig of a'] }]);
    expect(lostTeams([team('a')], [team('a'), team('b')], () => [])).toEqual([]);
  });

  it('must not be watched any more, nor one that was disabled', () => {
    expect(isOutdated(['a', 'b'], [team('a'), team('b'), team('c')])).toBe(false);
    expect(isOutdated(['a', 'b'], [team('b')])).toBe(true);
    expect(isOutdated(['a'], [team('a', { disabled: 'unpaid' })])).toBe(true);
    expect(isOutdated([], [])).toBe(false);
  });
});
