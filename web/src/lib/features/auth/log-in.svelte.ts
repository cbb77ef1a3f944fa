/** Logging in: the password, and then a code where there is a second factor. */
import type { Client } from '../../api/client.ts';
import { problemOf } from '../../api/client.ts';
import type { Me } from '../../api/types.ts';

export class LogIn {
  /** What the service gave for the right password; a code is needed with it. */
  private challenge: string | null = $state(null);

  constructor(private readonly api: Pick<Client, 'post'>) {}

  get needsCode(): boolean {
    return this.challenge !== null;
  }

  /** First step; `null` where there is a second. */
  async withPassword(email: string, password: string): Promise<Me | null> {
    const answer = await this.api.post<Me | { challenge: string }>('/api/auth/login', {
      email: email.trim(),
      password,
    });
    if (!('challenge' in answer)) return answer;
    this.challenge = answer.challenge;
    return null;
  }

  /** Second step: a code of the app, or a recovery code. What took too long begins anew. */
  async withCode(code: string): Promise<Me> {
    try {
      return await this.api.post<Me>('/api/auth/login/code', { challenge: this.challenge, code: code.trim() });
    } catch (error) {
      if (problemOf(error).status === 401) this.challenge = null;
      throw error;
    }
  }

  beginAgain(): void {
    this.challenge = null;
  }
}
