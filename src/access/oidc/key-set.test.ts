import { describe, expect, it, test } from 'vitest';
import { ALGORITHMS, readKeySet } from './key-set.ts';

const RSA = { kty: 'RSA', n: 'A'.repeat(342), e: 'AQAB' };
const EC = { kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43) };
const ED = { kty: 'OKP', crv: 'Ed25519', x: 'x'.repeat(43) };

const read = (...keys: readonly unknown[]) => readKeySet(Buffer.from(JSON.stringify({ keys }))).keys;

describe('a key is used', () => {
  it.each([
    [RSA],
    [{ ...RSA, alg: 'RS256', use: 'sig', kid: 'a' }],
    [{ ...RSA, alg: 'PS512' }],
    [{ ...RSA, n: 'A'.repeat(1366) }],
    [EC],
    [{ ...EC, alg: 'ES256' }],
    [{ ...EC, crv: 'P-384', alg: 'ES384' }],
    [{ ...EC, crv: 'P-521', alg: 'ES512' }],
    [ED],
    [{ ...ED, alg: 'EdDSA' }],
    [{ ...ED, alg: 'Ed25519' }],
  ])('%j', (key) => {
    expect(read(key)).toEqual([key]);
  });

  it('that says that it verifies', () => {
    expect(read({ ...EC, key_ops: ['verify'] })).toEqual([EC]);
  });

  it('without the members that are not needed, above all private ones', () => {
    expect(read({ ...EC, d: 'private', x5c: ['certificate'], x5u: 'https://other.example' })).toEqual([EC]);
  });
});

describe('a key is left out', () => {
  it.each([
    ['one of a shared secret', { kty: 'oct', k: 'c2VjcmV0' }],
    ['one of a shared secret that says RS256', { kty: 'oct', k: 'c2VjcmV0', alg: 'RS256' }],
    ['one with a curve beside its type', { kty: 'oct', k: 'c2VjcmV0', crv: 'P-256', x: 'x', y: 'y' }],
    ['one for encryption', { ...RSA, use: 'enc' }],
    ['one for encryption by its algorithm', { ...RSA, alg: 'RSA-OAEP' }],
    ['one for signing alone', { ...EC, key_ops: ['sign'] }],
    ['operations that are no list', { ...EC, key_ops: 'verify' }],
    ['an algorithm of another type', { ...RSA, alg: 'ES256' }],
    ['an algorithm of another curve', { ...EC, alg: 'ES384' }],
    ['HS256', { ...RSA, alg: 'HS256' }],
    ['none', { ...RSA, alg: 'none' }],
    ['an algorithm that is no text', { ...RSA, alg: ['RS256'] }],
    ['a curve that is not known', { ...EC, crv: 'secp256k1' }],
    ['a curve of another type', { ...ED, crv: 'P-256' }],
    ['an Edwards curve of another type', { ...EC, crv: 'Ed25519' }],
    ['a curve for key agreement', { ...ED, crv: 'X25519' }],
    ['a modulus that takes long', { ...RSA, n: 'A'.repeat(1367) }],
    ['an exponent that takes long', { ...RSA, e: 'A'.repeat(7) }],
    ['a missing coordinate', { kty: 'EC', crv: 'P-256', x: 'x' }],
    ['a coordinate that is no text', { ...EC, y: 7 }],
    ['a kid that is no text', { ...EC, kid: 7 }],
    ['a kid that is too long', { ...EC, kid: 'k'.repeat(1367) }],
    ['no object', 'key'],
    ['null', null],
  ])('%s', (_, key) => {
    expect(read({ ...EC, kid: 'other' }, key)).toEqual([{ ...EC, kid: 'other' }]);
  });
});

describe('a key set is refused', () => {
  it.each([
    ['that is a page', '<!doctype html>', 'is no JSON'],
    ['that is a list', '[]', 'is no JSON object'],
    ['without keys', '{}', 'has no keys'],
    ['with none that verifies', JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }), 'has no key that'],
    ['with an empty list', '{"keys":[]}', 'has no key that verifies signatures'],
    ['with too many', JSON.stringify({ keys: Array.from({ length: 101 }, () => EC) }), 'more than 100 keys'],
  ])('%s', (_, text, message) => {
    expect(() => readKeySet(Buffer.from(text))).toThrow(message);
  });

  it('but not with the most that are read', () => {
    expect(read(...Array.from({ length: 100 }, () => EC))).toHaveLength(100);
  });
});

test('the largest RSA key that is used is one of 8192 bits', () => {
  const n = Buffer.alloc(8192 / 8, 1).toString('base64url');
  expect(read({ ...RSA, n })).toEqual([{ ...RSA, n }]);
});

test('no algorithm has a shared secret', () => {
  expect(ALGORITHMS.filter((name) => name === 'none' || name.startsWith('HS'))).toEqual([]);
  expect(ALGORITHMS).toHaveLength(11);
});
