import { expect, it } from 'vitest';
import { example, scopeNames } from './keys.ts';

it('names what a key may read, always in the same order', () => {
  expect(scopeNames(['read_setups', 'read_live'])).toBe('Live, Setups');
});

it('shows how to ask without the key in an address or a command', () => {
  const { ask, store, socket } = example('https://1lap.example', 't', ['read_history']);
  expect(ask).toBe('curl -H "Authorization: Bearer $ONELAP_KEY" https://1lap.example/api/teams/t/sessions');
  expect(store).toBe('read -rs ONELAP_KEY');
  expect(socket).toBeNull();
});

it('names the socket to a key that may only look live', () => {
  const { ask, socket } = example('https://1lap.example', 't', ['read_live']);
  expect([ask, socket]).toEqual([null, 'wss://1lap.example/api/live/ws']);
  expect(example('http://localhost:1', 't', ['read_setups'])).toMatchObject({ ask: null, socket: null });
});
