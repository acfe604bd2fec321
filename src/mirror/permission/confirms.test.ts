import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import type { DescribedBlob } from '../../upstream/upstream.ts';
import { confirms, confirmsManifest } from './confirms.ts';

const HERE = { kind: 'blob', digest: digestOf('here'), size: 7 } as const;
const OTHER = digestOf('other');

test.each<[DescribedBlob, boolean]>([
  [{ by: 'head', size: 7 }, true],
  [{ by: 'head', size: 7, digest: HERE.digest }, true],
  [{ by: 'head', size: 7, digest: OTHER }, false],
  [{ by: 'head', size: 7, digest: 'nonsense' }, false],
  [{ by: 'head', size: 8 }, false],
  [{ by: 'head', size: 8, digest: HERE.digest }, false],
  [{ by: 'head', size: undefined }, false],
  [{ by: 'head', size: undefined, digest: HERE.digest }, false],
  [{ by: 'range', size: 7 }, true],
  [{ by: 'range', size: 7, digest: OTHER }, false],
  [{ by: 'range', size: undefined, digest: HERE.digest }, false],
  [{ by: 'whole', size: 7, digest: HERE.digest }, false],
  [{ by: 'whole', size: undefined }, false],
])('%o confirms seven bytes: %s', (told, expected) => {
  expect(confirms(told, HERE)).toBe(expected);
});

test('nothing but the right size confirms', () => {
  const told = fc.record({
    by: fc.constantFrom('head' as const, 'range' as const, 'whole' as const),
    size: fc.option(fc.nat(), { nil: undefined }),
    digest: fc.option(fc.constantFrom(HERE.digest, OTHER), { nil: undefined }),
  });
  fc.assert(
    fc.property(told, fc.nat(), (each, size) => {
      expect(each.size !== size && confirms(each, { ...HERE, size })).toBe(false);
    }),
  );
});

test.each([
  ['its digest and size', { digest: HERE.digest, size: 7 }, true],
  ['no size', { digest: HERE.digest, size: undefined }, false],
  ['another size', { digest: HERE.digest, size: 300 }, false],
  ['another digest', { digest: OTHER, size: 7 }, false],
])('a manifest’s HEAD that tells %s', (_, told, expected) => {
  expect(confirmsManifest({ mediaType: undefined, ...told }, { ...HERE, kind: 'manifest' })).toBe(expected);
});

test('a manifest’s HEAD that tells nothing confirms nothing', () => {
  expect(confirmsManifest(undefined, { ...HERE, kind: 'manifest' })).toBe(false);
});
