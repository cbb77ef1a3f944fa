/** What is done to a team as a whole: its name, its deletion, its export, and leaving it. */
import type { Client } from '../../api/client.ts';
import type { Deletion, Team } from '../../api/types.ts';
import type { TeamId } from '../../protocol.gen.ts';

export class TeamItself {
  constructor(
    private readonly api: Client,
    private readonly team: TeamId,
    /** Called after a change, to read again which teams there are. */
    private readonly onChange: () => Promise<void>,
  ) {}

  async rename(name: string): Promise<void> {
    await this.api.put(this.path(), { name });
    await this.onChange();
  }

  async leave(): Promise<void> {
    await this.api.post(this.path('/leave'));
    await this.onChange();
  }

  /** It will be deleted with everything that it has, at the moment that is given back. */
  async delete(): Promise<Deletion> {
    const deletion = await this.api.post<Deletion>(this.path('/deletion'));
    await this.onChange();
    return deletion;
  }

  /** It will not be deleted. */
  async keep(): Promise<void> {
    await this.api.delete(this.path('/deletion'));
    await this.onChange();
  }

  /** Everything that it has, as a file. Rejects where that broke off. */
  async export(): Promise<Blob> {
    const { blob } = await this.api.file(this.path('/export'));
    if (!(await isWhole(blob))) throw new Error('The export broke off before its end. Try again.');
    return blob;
  }

  private path(below = ''): string {
    return `/api/teams/${this.team}${below}`;
  }
}

/** Founds a team. */
export const found = (api: Client, name: string): Promise<Team> => api.post<Team>('/api/teams', { name });

/** Whether an export goes to its end: its last line says so. */
export async function isWhole(blob: Blob): Promise<boolean> {
  const lines = (await blob.slice(-1000).text()).trimEnd().split('\n');
  try {
    return (JSON.parse(lines.at(-1) ?? '') as { table?: unknown }).table === 'end';
  } catch {
    return false;
  }
}

/** `ours-2026-11-20.ndjson`: the team's name as far as files can bear it. */
export function exportName(team: string, now: Date): string {
  const plain = team
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '');
  return `${plain === '' ? 'team' : plain}-${now.toISOString().slice(0, 10)}.ndjson`;
}
