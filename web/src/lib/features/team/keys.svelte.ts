/** A team's API keys: read once and after each change. */
import { type ApiError, type Client, problemOf } from '../../api/client.ts';
import type { ApiKey, ApiKeyScope, MadeApiKey } from '../../api/types.ts';
import type { TeamId } from '../../protocol.gen.ts';

export class Keys {
  keys: ApiKey[] | null = $state.raw(null);
  problem: ApiError | null = $state.raw(null);

  constructor(
    private readonly api: Client,
    private readonly team: TeamId,
  ) {}

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.keys = await this.api.get<ApiKey[]>(this.path);
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** The key is given back this once. */
  async make(name: string, scopes: readonly ApiKeyScope[], expiresInDays: number | null): Promise<string> {
    const body = { name, scopes, expires_in_days: expiresInDays };
    const { key } = await this.api.post<MadeApiKey>(this.path, body);
    await this.load();
    return key;
  }

  async revoke(id: string): Promise<void> {
    await this.api.delete(`${this.path}/${id}`);
    await this.load();
  }

  private get path(): string {
    return `/api/teams/${this.team}/keys`;
  }
}
