import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('the API types were generated from the committed description', () => {
  const description = readFileSync(new URL('../../../../service/openapi.json', import.meta.url));
  const types = readFileSync(new URL('../api.gen.ts', import.meta.url), 'utf8');
  const sum = createHash('sha256').update(description).digest('hex');
  expect(types.split('\n')[0], 'out of date: run `make openapi` and commit the result').toBe(`// openapi.json ${sum}`);
});
