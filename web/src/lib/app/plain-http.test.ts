import { expect, it } from 'vitest';
import { isOverheard } from './plain-http.ts';

it('warns on a network without https, and not within one machine', () => {
  for (const host of ['192.168.1.20', 'relay.lan', '10.127.0.1', 'localhost.lan']) {
    expect(isOverheard({ https: false }, host), host).toBe(true);
  }
  for (const host of ['localhost', '127.0.0.1', '[::1]']) expect(isOverheard({ https: false }, host), host).toBe(false);
  expect(isOverheard({ https: true }, 'relay.example')).toBe(false);
  expect(isOverheard(null, 'relay.lan')).toBe(false);
});
