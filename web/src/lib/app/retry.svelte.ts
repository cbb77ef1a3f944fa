/** Loads again by itself what could not be loaded while the service was away. */
import { untrack } from 'svelte';
import type { ApiError } from '../api/client.ts';
import { app } from './app.svelte.ts';
import { Comeback, wasAway } from './comeback.ts';

/** For a component's set-up. */
export function retryWhenBack(problem: () => ApiError | null, again: () => unknown): void {
  const comeback = new Comeback();
  $effect(() => {
    if (comeback.see(app.rigs.link)) {
      untrack(() => {
        if (wasAway(problem())) again();
      });
    }
  });
}
