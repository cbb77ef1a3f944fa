/** How a tyre's temperature stands to what its compound works best at. */

export type Band = 'cold' | 'good' | 'hot';

/** How far from the best still counts as good. */
const GOOD_K = 10;

export const BANDS: Record<Band, { word: string; sign: string }> = {
  cold: { word: 'cold', sign: '▾' },
  good: { word: 'in the window', sign: '' },
  hot: { word: 'hot', sign: '▴' },
};

/** Null where either is not known: there is no band that holds for every compound. */
export function bandOf(temperature: number | null, optimal: number | null): Band | null {
  if (temperature === null || optimal === null) return null;
  const off = temperature - optimal;
  return off < -GOOD_K ? 'cold' : off > GOOD_K ? 'hot' : 'good';
}
