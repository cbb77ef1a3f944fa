/**
 * The proof that it is still the same person: the password, and a code where there is a second factor.
 *
 * Invariant: a code is asked for where the account is known to have a second factor, and as soon as the service wants one
 * (it may have been set up in another browser).
 */
import { ApiError } from '../../api/client.ts';
import type { Needed } from '../../ui/form.svelte.ts';

export class Proof {
  password = $state('');
  code = $state('');
  private isWanted = $state(false);

  constructor(private readonly hasFactor: () => boolean) {}

  get asksCode(): boolean {
    return this.hasFactor() || this.isWanted;
  }

  /** What must not be left empty. */
  get needed(): Partial<Needed<'password' | 'code'>> {
    const code: Partial<Needed<'code'>> = this.asksCode ? { code: [this.code, 'The code'] } : {};
    return { password: [this.password, 'The password'], ...code };
  }

  /** As the service takes it. */
  get body(): { password: string; code: string | null } {
    return { password: this.password, code: this.asksCode ? this.code.trim() : null };
  }

  /** Does what needs the proof. A code is good once: the next try needs the next one. */
  async show<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ApiError && error.field === 'code') this.isWanted = true;
      throw error;
    }
  }
}
