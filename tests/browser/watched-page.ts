// What a page shows and when, noted inside of it: samples as they come out of its worker, numbers that change on the
// screen, and what its badge says. A reload would begin the notes anew, which `from` tells.

import type { Page } from "@playwright/test";
import type { Arrival } from "./arrivals.js";

export interface Notes {
  /** When the page was loaded. */
  from: number;
  arrivals: Arrival[];
  /** When a number of the car changed on the screen. */
  moves: number[];
  /** What the badge said, and since when. */
  badges: Array<[at: number, kind: string]>;
}

declare global {
  interface Window {
    notes: Notes;
  }
}

/** To be called before the page is loaded. */
export async function takeNotes(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const notes: Notes = { from: Date.now(), arrivals: [], moves: [], badges: [] };
    window.notes = notes;
    window.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        this.addEventListener("message", ({ data }: MessageEvent<{ type: string; times?: Float64Array }>) => {
          if (data.type === "samples") notes.arrivals.push([Date.now(), data.times?.at(-1) ?? 0]);
        });
      }
    };
    const look = (changes: MutationRecord[]) => {
      const now = Date.now();
      const elements = changes.map(({ target }) => (target instanceof Element ? target : target.parentElement));
      if (elements.some((element) => element?.closest("[data-channel]")) && now !== notes.moves.at(-1)) notes.moves.push(now);
      const kind = document.querySelector<HTMLElement>("[data-panel=strip] [data-condition]")?.dataset.condition;
      if (kind !== undefined && kind !== notes.badges.at(-1)?.[1]) notes.badges.push([now, kind]);
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

export const notesOf = (page: Page): Promise<Notes> => page.evaluate(() => window.notes);
