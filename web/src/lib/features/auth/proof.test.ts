import { expect, it } from 'vitest';
import { ApiError } from '../../api/client.ts';
import { Proof } from './proof.svelte.ts';

it('asks for the password alone where there is no second factor', () => {
  const proof = new Proof(() => false);
  proof.password = ' pass word ';
  expect(Object.keys(proof.needed)).toEqual(['password']);
  expect(proof.body).toEqual({ password: ' pass word ', code: null });
});

it('asks for a code where there is a second factor', () => {
  const proof = new Proof(() => true);
  proof.code = ' 123 456 ';
  expect(Object.keys(proof.needed)).toEqual(['password', 'code']);
  expect(proof.body.code).toBe('123 456');
});

it('asks for a code once the service wants one', async () => {
  const proof = new Proof(() => false);
  const refuse = (field: string) => proof.show(() => Promise.reject(new ApiError(422, 'invalid', 'No.', field)));
  await expect(refuse('password')).rejects.toMatchObject({ field: 'password' });
  expect(proof.asksCode).toBe(false);
  await expect(refuse('code')).rejects.toMatchObject({ field: 'code' });
  expect(Object.keys(proof.needed)).toEqual(['password', 'code']);
  expect(await proof.show(() => Promise.resolve(7))).toBe(7);
});
