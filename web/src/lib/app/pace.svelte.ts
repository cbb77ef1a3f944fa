/** How often this browser is sent samples: what was chosen here, or what the screen is good for. */
import { type RateChoice, choiceOf, rateOf } from '../live/rate.ts';

const KEY = 'onelap.rate';

export class Pace {
  choice: RateChoice = $state(choiceOf(stored()));
  private narrow = $state(false);
  private readonly saves = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
  /** Batches a second to ask for. */
  readonly maxHz = $derived(rateOf(this.choice, { narrow: this.narrow, saves: this.saves }));

  constructor() {
    const media = matchMedia('(max-width: 820px)');
    this.narrow = media.matches;
    media.addEventListener('change', () => (this.narrow = media.matches));
  }

  choose(text: string): void {
    this.choice = choiceOf(text);
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // Not kept where the browser keeps nothing: it holds for this page.
    }
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
