import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTokenResponse } from './token-response.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const parse = (document: unknown) => parseTokenResponse(JSON.stringify(document), NOW);
const jwt = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;

describe('parseTokenResponse', () => {
  test.each([
    [{ token: 't' }, 't'],
    [{ access_token: 'a' }, 'a'],
    [{ access_token: 'a', token: 't' }, 'a'],
    [{ access_token: '', token: 't' }, 't'],
    [{ access_token: null, token: 't' }, 't'],
  ])('%j', (document, token) => {
    expect(parse(document)?.token).toBe(token);
  });

  test.each([{}, { token: '' }, { token: 7 }, { token: 'a\nb' }, { token: 'ä' }, [], 'token', null])(
    'no token in %j',
    (document) => {
      expect(parse(document)).toBeUndefined();
    },
  );

  test('rejects a token that no header could carry', () => {
    const longest = 'x'.repeat(16 * 1024);
    expect(parse({ token: longest })?.token).toBe(longest);
    expect(parse({ token: `${longest}x` })).toBeUndefined();
  });

  test.each([
    [undefined, 60],
    [300, 300],
    ['300', 300],
    [30, 30],
    [1, 1],
    [0, 60],
    [-5, 60],
    ['soon', 60],
    [1e12, 86_400],
    [null, 60],
  ])('expires_in %j: %i s', (expires_in, seconds) => {
    expect(parse({ token: 't', expires_in })?.lifetimeMs).toBe(seconds * 1000);
  });

  test.each([
    [{ iat: 1000, exp: 1900 }, 900],
    [{ exp: NOW / 1000 + 300 }, 300],
    [{ iat: 1000, exp: 1_000_000 }, 3600],
    [{ iat: 1000, exp: 1001 }, 60],
    [{ exp: 'x' }, 60],
    [{}, 60],
  ])('a JWT of %j without expires_in: %i s', (claims, seconds) => {
    expect(parse({ token: jwt(claims) })?.lifetimeMs).toBe(seconds * 1000);
  });

  test('null counts as absent', () => {
    expect(parse({ token: jwt({ iat: 1000, exp: 1900 }), expires_in: null })?.lifetimeMs).toBe(900_000);
  });

  test.each(['a.b.c', `a.${Buffer.from('null').toString('base64url')}.c`])('%s is no JWT', (token) => {
    expect(parse({ token })?.lifetimeMs).toBe(60_000);
  });

  test('a token without a signature is no JWT', () => {
    const [header, payload] = jwt({ iat: 1000, exp: 1900 }).split('.');
    expect(parse({ token: `${header}.${payload}` })?.lifetimeMs).toBe(60_000);
  });

  test("the endpoint's lifetime counts more than the JWT's", () => {
    expect(parse({ token: jwt({ iat: 0, exp: 3000 }), expires_in: 120 })?.lifetimeMs).toBe(120_000);
  });

  test('reads any text without throwing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const received = parseTokenResponse(text, NOW);
        return received === undefined || received.lifetimeMs > 0;
      }),
    );
  });
});
