/** How long a token or an API key is good, and where it was used last, in words: pure functions. */
import { age, when } from '../../format.ts';

/** What tokens and keys have in common. */
export interface Credential {
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  last_used_from: string | null;
}

export type Standing = 'good' | 'ends_soon' | 'expired' | 'revoked';

/** From here on its end is pointed out: a weekend and the week before. */
const SOON_MS = 10 * 24 * 3_600_000;

export function standing(credential: Credential, nowMs: number): Standing {
  if (credential.revoked_at !== null) return 'revoked';
  if (credential.expires_at === null) return 'good';
  const leftMs = Date.parse(credential.expires_at) - nowMs;
  if (leftMs <= 0) return 'expired';
  return leftMs < SOON_MS ? 'ends_soon' : 'good';
}

export function isGood(credential: Credential, nowMs: number): boolean {
  return ['good', 'ends_soon'].includes(standing(credential, nowMs));
}

/** Until when it is good. */
export function lifeText(credential: Credential, nowMs: number): string {
  switch (standing(credential, nowMs)) {
    case 'revoked':
      return `revoked ${when(credential.revoked_at)}`;
    case 'expired':
      return `expired ${when(credential.expires_at)}`;
    case 'ends_soon':
      return `expires in ${age(Date.parse(credential.expires_at ?? '') - nowMs)} (${when(credential.expires_at)})`;
    case 'good':
      return credential.expires_at === null ? 'does not expire' : `expires ${when(credential.expires_at)}`;
  }
}

/** When and from where it was used last. The service notes that once a minute. */
export function useText(credential: Credential): string {
  if (credential.last_used_at === null) return 'never used';
  const from = credential.last_used_from === null ? '' : ` from ${credential.last_used_from}`;
  return `last used ${when(credential.last_used_at)}${from}`;
}

/** How many are good, and how many are not any more: `2 tokens, 1 expired or revoked`. */
export function countText(credentials: readonly Credential[], one: string, nowMs: number): string {
  const good = credentials.filter((credential) => isGood(credential, nowMs)).length;
  const gone = credentials.length - good;
  return `${good} ${one}${good === 1 ? '' : 's'}${gone > 0 ? `, ${gone} expired or revoked` : ''}`;
}

/** What stays in the list: those that are good, then the latest of those that are not. */
export function inOrder<T extends Credential>(credentials: readonly T[], nowMs: number): T[] {
  const good = credentials.filter((credential) => isGood(credential, nowMs));
  return [...good, ...credentials.filter((credential) => !good.includes(credential))];
}

/** What can be chosen as a life, in days; `''` is for ever. */
export const LIVES: readonly [days: string, called: string][] = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'One year'],
  ['', 'Until it is revoked'],
];

/** A chosen life as the service takes it. */
export const daysOf = (choice: string): number | null => (choice === '' ? null : Number(choice));

/** How long a token can go on beside the one that takes its place, in hours. */
export const OVERLAPS: readonly [hours: string, called: string][] = [
  ['1', 'one more hour'],
  ['24', 'one more day'],
  ['168', 'one more week'],
  ['0', 'no longer: end it now'],
];

/** What becomes of the old token. */
export function overlapText(hours: number): string {
  if (hours === 0) return 'The old token has ended: the agent is cut until it gets the new one.';
  const [, called] = OVERLAPS.find(([key]) => Number(key) === hours) ?? ['', `${hours} more hours`];
  return `The old token is good for ${called}. Give the agent the new one before.`;
}
