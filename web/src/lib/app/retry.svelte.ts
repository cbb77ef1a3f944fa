/** Loads again by itself what could not be loaded while the service was away. */
import { untrack } from 'svelte';
import type { ApiError } from '../api/client.ts';
import { Comeback, wasAway } from './comeback.ts';
import { viewer } from './viewer.ts';

/** For a component's set-up. */
export function retryWhenBack(problem: () => ApiError | null, again: () => unknown): void {
  const comeback = new Comeback();
  const { rigs } = viewer();
  $effect(() => {
    if (comeback.see(rigs.link)) {
      untrack(() => {
        if (wasAway(problem())) again();
      });
    }
  });
}
