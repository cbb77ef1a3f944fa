/** The code that an agent shows: eight letters, in any case, with or without what stands between. */

const LETTERS = 8;

/** As the agent shows it: `BCDF-GHJK`; what is more than a code is left as it is, for the service to say so. */
export function shownCode(text: string): string {
  const letters = text.replaceAll(/[\s-]/g, '').toUpperCase();
  return letters.length === LETTERS ? `${letters.slice(0, LETTERS / 2)}-${letters.slice(LETTERS / 2)}` : letters;
}

/** The name of a rig for a PC that is not one yet; a name that is taken is no proposal. */
export function proposedName(pc: string, taken: readonly string[]): string {
  const isTaken = (name: string) => taken.some((other) => other.toLowerCase() === name.toLowerCase());
  if (!isTaken(pc)) return pc;
  for (let n = 2; ; n += 1) {
    if (!isTaken(`${pc} ${n}`)) return `${pc} ${n}`;
  }
}
