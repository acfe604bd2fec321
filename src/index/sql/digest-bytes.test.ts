import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { IndexDamagedError } from '../error.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';

describe('digest bytes', () => {
  it.each([
    ['sha256', 33],
    ['sha512', 65],
  ] as const)('of %s are %i, and are read as the same digest', (algorithm, length) => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const digest = digestOf(text, algorithm);
        expect(digestToBytes(digest)).toHaveLength(length);
        expect(digestFromBytes(digestToBytes(digest))).toBe(digest);
      }),
    );
  });

  it('name the algorithm', () => {
    expect(digestToBytes(digestOf('')).subarray(0, 3)).toEqual(Buffer.from([1, 0xe3, 0xb0]));
  });

  it('are refused if they are not a digest’s', () => {
    const others = fc
      .uint8Array({ maxLength: 70 })
      .filter(
        (bytes) => !(bytes[0] === 1 && bytes.length === 33) && !(bytes[0] === 2 && bytes.length === 65),
      );
    fc.assert(
      fc.property(others, (bytes) => {
        expect(() => digestFromBytes(bytes)).toThrow(IndexDamagedError);
      }),
    );
    expect(() => digestFromBytes(new Uint8Array(65).fill(3))).toThrow(IndexDamagedError);
  });
});
