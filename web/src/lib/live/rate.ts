/**
 * How many batches a second a viewer asks for.
 *
 * What nobody sees is asked for once a second; a narrow screen, mostly numbers, needs fewer than a desk with its traces.
 */

/** While the page is hidden. */
export const HIDDEN_HZ = 1;
/** All that agents send: ten batches a second, and room for more. */
export const FULL_HZ = 20;
const NARROW_HZ = 5;

/** What a person may choose: by the screen, or a number. */
export const RATE_CHOICES = ['auto', '20', '5', '2'] as const;
export type RateChoice = (typeof RATE_CHOICES)[number];

export interface Screen {
  narrow: boolean;
  /** The browser is told to save data. */
  saves: boolean;
}

export function rateOf(choice: RateChoice, screen: Screen): number {
  if (choice !== 'auto') return Number(choice);
  return screen.narrow || screen.saves ? NARROW_HZ : FULL_HZ;
}

/** A choice as it was stored; anything else is the automatic one. */
export function choiceOf(text: string | null): RateChoice {
  return RATE_CHOICES.find((choice) => choice === text) ?? 'auto';
}
