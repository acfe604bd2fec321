import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/code-of.ts';
import type { Descriptor } from './descriptor.ts';
import { digestHex, digestOf } from './digest.ts';
import { MediaType } from './media-type.ts';
import {
  filterReferrers,
  formatReferrersIndex,
  mergeReferrers,
  parseReferrersIndex,
  referrersTag,
} from './referrers.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function referrer(content: string, artifactType?: string): Descriptor {
  const base = { mediaType: MediaType.ociManifest, digest: digestOf(content), size: content.length };
  return artifactType === undefined ? base : { ...base, artifactType };
}

const SIGNATURE = referrer('signature', 'application/vnd.example.signature');
const SBOM = referrer('sbom', 'application/spdx+json');
const BARE = referrer('bare');

describe('referrersTag', () => {
  it('is the digest with a dash', () => {
    const digest = digestOf('subject');
    expect(referrersTag(digest)).toBe(`sha256-${digestHex(digest)}`);
  });

  it('cuts sha512 to 64 digits', () => {
    const digest = digestOf('subject', 'sha512');
    expect(referrersTag(digest)).toBe(`sha512-${digestHex(digest).slice(0, 64)}`);
  });
});

describe('a referrers index', () => {
  it('is an OCI index also when empty', () => {
    expect(JSON.parse(new TextDecoder().decode(formatReferrersIndex([])))).toStrictEqual({
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: [],
    });
  });

  it('is read back as it was written', () => {
    const descriptor = fc.record(
      {
        mediaType: fc.string({ minLength: 1 }),
        digest: fc.uint8Array().map((content) => digestOf(content)),
        size: fc.maxSafeNat(),
        artifactType: fc.string({ minLength: 1 }),
        annotations: fc.dictionary(fc.string(), fc.string()),
      },
      { requiredKeys: ['mediaType', 'digest', 'size'] },
    );
    fc.assert(
      fc.property(fc.array(descriptor), (descriptors) => {
        expect(bytes(parseReferrersIndex(formatReferrersIndex(descriptors)))).toEqual(bytes(descriptors));
      }),
    );
  });

  it('may have 4,000 descriptors, and no more', () => {
    const index = (length: number) => bytes({ manifests: Array.from({ length }, () => SBOM) });
    expect(parseReferrersIndex(index(4000))).toHaveLength(4000);
    expect(() => parseReferrersIndex(index(4001))).toThrow(
      expect.objectContaining({
        code: 'MANIFEST_INVALID',
        message: 'manifests has 4001 descriptors: at most 4000',
      }),
    );
  });

  it.each([
    [{ schemaVersion: 2 }],
    [{ manifests: null }],
    [{ manifests: [] }],
    [{ mediaType: MediaType.ociIndex }],
  ])('may be empty: %j', (index) => {
    expect(parseReferrersIndex(bytes(index))).toEqual([]);
  });

  it('leaves out descriptors that no client could fetch, and keeps the rest', () => {
    const blake3 = { ...SBOM, digest: `blake3:${'0'.repeat(64)}` };
    expect(parseReferrersIndex(bytes({ manifests: [null, SIGNATURE, blake3, {}, BARE] }))).toEqual([
      SIGNATURE,
      BARE,
    ]);
  });

  it.each([
    ['an image', { mediaType: MediaType.ociManifest, layers: [] }],
    ['a Docker list', { mediaType: MediaType.dockerList, manifests: [] }],
    ['manifests that are no list', { manifests: {} }],
    ['a document about nothing', {}],
    ['an error', { errors: [{ code: 'UNKNOWN' }] }],
  ])('is not %s', (_, value) => {
    expect(codeOf(() => parseReferrersIndex(bytes(value)))).toBe('MANIFEST_INVALID');
  });

  it('is not a web page', () => {
    expect(() => parseReferrersIndex(new TextEncoder().encode('<html>'))).toThrow(/not JSON/);
  });
});

describe('filterReferrers', () => {
  it('keeps referrers of any type asked for', () => {
    const all = [SIGNATURE, SBOM, BARE];
    expect(filterReferrers(all, [])).toEqual(all);
    expect(filterReferrers(all, ['application/spdx+json'])).toEqual([SBOM]);
    expect(filterReferrers(all, ['application/spdx+json', 'application/vnd.example.signature'])).toEqual([
      SIGNATURE,
      SBOM,
    ]);
    expect(filterReferrers(all, ['other'])).toEqual([]);
  });
});

describe('mergeReferrers', () => {
  it('names each digest once, as the first list has it', () => {
    const annotated = { ...SBOM, annotations: { a: 'b' } };
    expect(mergeReferrers([SIGNATURE, annotated], [SBOM, BARE], [BARE])).toEqual([
      SIGNATURE,
      annotated,
      BARE,
    ]);
    expect(mergeReferrers()).toEqual([]);
  });
});
