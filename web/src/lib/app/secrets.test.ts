import { expect, it } from 'vitest';
import { type Keeper, Secrets } from './secrets.ts';

/** Storage of one browser. */
function storage(): Keeper & { held: Map<string, string> } {
  const held = new Map<string, string>();
  return {
    held,
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

it('gives the secret of a link once, to the page that it is for', () => {
  const kept = storage();
  const secrets = new Secrets(kept);
  expect(secrets.notice('reset', '#abc')).toBe(true);
  expect(secrets.take('confirm_email')).toBe(null);
  expect(secrets.take('reset')).toBe('abc');
  expect(secrets.take('reset')).toBe(null);
  expect(kept.held.size, 'nothing of it stays in the browser').toBe(0);
});

it('leaves other fragments alone', () => {
  const secrets = new Secrets(null);
  expect(secrets.notice('team', '#laps')).toBe(false);
  expect(secrets.notice('reset', '')).toBe(false);
  expect(secrets.notice('reset', '#')).toBe(false);
});

it('keeps an invitation over a sign-up in another tab, for a day', () => {
  const kept = storage();
  let now = 1000;
  const tab = () => new Secrets(kept, () => now);
  tab().notice('join', '#1lap_invite_x');
  expect(tab().invitation()).toBe('1lap_invite_x');
  const other = tab();
  other.dropInvitation();
  expect(tab().invitation()).toBe(null);
  tab().notice('join', '#1lap_invite_y');
  now += 25 * 3600 * 1000;
  expect(tab().invitation()).toBe(null);
  expect(kept.held.size).toBe(0);
});

it('works where the browser keeps nothing, or nonsense', () => {
  const secrets = new Secrets(null);
  secrets.notice('join', '#a');
  expect(secrets.invitation()).toBe('a');
  const refuses: Keeper = {
    getItem: () => 'nonsense',
    setItem: () => {
      throw new Error('full');
    },
    removeItem: () => undefined,
  };
  const other = new Secrets(refuses);
  expect(other.invitation()).toBe(null);
  other.notice('join', '#b');
  expect(other.invitation()).toBe('b');
});
