import { describe, expect, test } from 'vitest';
import { assertNoSecret, PASSWORDS } from '../support/e2e/secrets.ts';

describe('the search for secrets finds', () => {
  test.each(Object.values(PASSWORDS))('%s', (password) => {
    expect(() => assertNoSecret(`before ${password} behind`, 'x')).toThrow('password');
    expect(() => assertNoSecret(encodeURIComponent(password), 'x')).toThrow('password');
  });

  test.each(['', 'a', 'ab', 'abc', 'user', 'mirror'])('each behind the user "%s" in base64', (user) => {
    for (const password of Object.values(PASSWORDS)) {
      const header = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      expect(() => assertNoSecret(header, 'x')).toThrow('password');
    }
  });

  test.each([
    'larder_a1b2c3d4e5f6_0123456789abcdefghijklmnop',
    `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from('{"sub":"alice"}').toString('base64url')}.abcdefghijkl`,
  ])('the token %s', (token) => {
    expect(() => assertNoSecret(`{"password":"${token}"}`, 'x')).toThrow('token');
  });
});

test('the search for secrets finds none in what Larder says every day', () => {
  const line =
    '{"level":30,"user":"user:alice","url":"/v2/library/debian/manifests/12","msg":"larder_requests_total"}';
  expect(() => assertNoSecret(line, 'x')).not.toThrow();
});
