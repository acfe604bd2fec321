import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/code-of.ts';
import {
  createDigester,
  digestAlgorithm,
  digestHex,
  digestOf,
  isDigest,
  isEmptyDigest,
  parseDigest,
  type DigestAlgorithm,
} from './digest.ts';

const SHA256_EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const anyText = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 300 });

describe('parseDigest', () => {
  it.each([SHA256_EMPTY, `sha256:${'0'.repeat(64)}`, `sha512:${'f'.repeat(128)}`])('takes %s', (text) => {
    expect(parseDigest(text)).toBe(text);
  });

  it.each([
    ['nothing', ''],
    ['no algorithm', 'a'.repeat(64)],
    ['upper-case hex', SHA256_EMPTY.toUpperCase().replace('SHA256', 'sha256')],
    ['an upper-case algorithm', SHA256_EMPTY.replace('sha256', 'SHA256')],
    ['too short', SHA256_EMPTY.slice(0, -1)],
    ['too long', `${SHA256_EMPTY}0`],
    ["the other algorithm's length", `sha512:${'0'.repeat(64)}`],
    ['the bad digest of the conformance suite', 'sha256:baddigeststring'],
    ['an algorithm that Larder cannot verify', `blake3:${'0'.repeat(64)}`],
    ['a path', `sha256:${'../'.repeat(21)}a`],
    ['a line break behind it', `${SHA256_EMPTY}\n`],
    ['percent-encoding', SHA256_EMPTY.replace(':', '%3A')],
  ])('refuses %s', (_, text) => {
    expect(isDigest(text)).toBe(false);
    expect(codeOf(() => parseDigest(text))).toBe('DIGEST_INVALID');
  });

  it('throws nothing but DIGEST_INVALID', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(codeOf(() => parseDigest(text))).toBe('DIGEST_INVALID');
      }),
    );
    expect(codeOf(() => parseDigest(`sha256:${'a'.repeat(100_000)}`))).toBe('DIGEST_INVALID');
  });
});

describe('digests of bytes', () => {
  const algorithm = fc.constantFrom<DigestAlgorithm>('sha256', 'sha512');

  it('are parsed as themselves and taken apart', () => {
    fc.assert(
      fc.property(fc.uint8Array(), algorithm, (bytes, algorithm) => {
        const digest = digestOf(bytes, algorithm);
        expect(parseDigest(digest)).toBe(digest);
        expect(`${digestAlgorithm(digest)}:${digestHex(digest)}`).toBe(digest);
        expect(digestAlgorithm(digest)).toBe(algorithm);
      }),
    );
  });

  it('do not depend on the pieces in which the bytes come', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), algorithm, (chunks, algorithm) => {
        const digester = createDigester(algorithm);
        for (const chunk of chunks) digester.update(chunk);
        expect(digester.digest()).toBe(digestOf(Buffer.concat(chunks), algorithm));
      }),
    );
  });

  it('are sha256 by default', () => {
    expect(digestOf('')).toBe(SHA256_EMPTY);
  });
});

describe('isEmptyDigest', () => {
  it('is true only for the digest of no bytes, of any algorithm', () => {
    expect([digestOf(''), digestOf('', 'sha512'), parseDigest(SHA256_EMPTY)].every(isEmptyDigest)).toBe(true);
    expect([digestOf(' '), digestOf('{}', 'sha512')].some(isEmptyDigest)).toBe(false);
  });
});
