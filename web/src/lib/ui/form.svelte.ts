/**
 * A form that is being filled in: what is missing, what the service refused, how long it wants to be left alone, and where
 * the focus goes.
 *
 * Invariants: one request at a time, and none before the service takes one again; after a refusal the focus is in the first wrong field, or on the button where no field
 * is to blame.
 */
import { tick } from 'svelte';
import { type ApiError, problemOf } from '../api/client.ts';
import { Wait } from './wait.svelte.ts';

/** By field: its value, and what it is called at the beginning of a sentence. */
export type Needed<Name extends string> = Record<Name, [value: string, called: string]>;
export type Wrong<Name extends string> = Partial<Record<Name, string>>;

/** A sentence for every field that is empty. */
export function missing<Name extends string>(needed: Partial<Needed<Name>>): Wrong<Name> {
  const wrong: Wrong<Name> = {};
  for (const [name, [value, called]] of Object.entries(needed) as [Name, [string, string]][]) {
    if (value.trim() === '') wrong[name] = `${called} is missing.`;
  }
  return wrong;
}

export class Form<Name extends string> {
  busy = $state(false);
  /** Until it may be tried again, where that was too often. */
  readonly wait = new Wait();
  /** What was wrong, where that is none of the fields. */
  problem: ApiError | null = $state.raw(null);
  /** What is wrong with each field. */
  wrong: Wrong<Name> = $state.raw({});

  /** Does the work when nothing is missing. */
  async submit(event: SubmitEvent, needed: Partial<Needed<Name>>, work: () => Promise<unknown>): Promise<void> {
    event.preventDefault();
    if (this.busy || this.wait.leftS > 0) return;
    const form = event.currentTarget as HTMLFormElement;
    [this.problem, this.wrong] = [null, missing(needed)];
    if (Object.keys(this.wrong).length === 0) await this.run(work, Object.keys(needed) as Name[]);
    if (this.problem === null && Object.keys(this.wrong).length === 0) return;
    await tick();
    form.querySelector<HTMLElement>('[aria-invalid=true], button')?.focus();
  }

  private async run(work: () => Promise<unknown>, names: readonly Name[]): Promise<void> {
    this.busy = true;
    try {
      await work();
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status === 429) this.wait.begin(problem.retryAfterS ?? 1, () => (this.problem = null));
      const name = names.find((name) => name === problem.field);
      if (name === undefined) this.problem = problem;
      else this.wrong = { [name]: problem.message } as Wrong<Name>;
    } finally {
      this.busy = false;
    }
  }
}
