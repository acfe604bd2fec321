import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/code-of.ts';
import { parseDescriptor } from './descriptor.ts';
import { digestOf } from './digest.ts';

const DIGEST = digestOf('layer');
const LAYER = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: DIGEST, size: 5 };

describe('parseDescriptor', () => {
  it('gives back every descriptor that is written as JSON', () => {
    const platform = fc.record(
      { os: fc.string(), architecture: fc.string(), variant: fc.string({ minLength: 1 }) },
      { requiredKeys: ['os', 'architecture'] },
    );
    const descriptor = fc.record(
      {
        mediaType: fc.string({ minLength: 1 }),
        digest: fc.uint8Array().map((bytes) => digestOf(bytes)),
        size: fc.maxSafeNat(),
        artifactType: fc.string({ minLength: 1 }),
        annotations: fc.dictionary(fc.string(), fc.string()),
        platform,
      },
      { requiredKeys: ['mediaType', 'digest', 'size'] },
    );
    fc.assert(
      fc.property(descriptor, (descriptor) => {
        const read = JSON.parse(JSON.stringify(descriptor)) as unknown;
        expect(JSON.parse(JSON.stringify(parseDescriptor(read)))).toEqual(read);
      }),
    );
  });

  it('keeps only what Larder uses: urls are never followed', () => {
    expect(parseDescriptor({ ...LAYER, urls: ['http://169.254.169.254/'], data: 'bGF5ZXI=', x: 1 })).toEqual(
      LAYER,
    );
  });

  it('counts null, an empty artifactType and a broken platform as absent', () => {
    expect(
      parseDescriptor({ ...LAYER, artifactType: '', annotations: null, platform: { os: 'linux' } }),
    ).toStrictEqual(LAYER);
  });

  it.each([
    ['null', null],
    ['a list', [LAYER]],
    ['a text', 'sha256:'],
    ['no digest', { ...LAYER, digest: undefined }],
    ['a digest that is a path', { ...LAYER, digest: 'sha256:../../etc/passwd' }],
    ['an upper-case digest', { ...LAYER, digest: DIGEST.toUpperCase() }],
    ['an unknown algorithm', { ...LAYER, digest: `md5:${'0'.repeat(32)}` }],
    ['a negative size', { ...LAYER, size: -1 }],
    ['a fractional size', { ...LAYER, size: 0.5 }],
    ['a size beyond what is exact', { ...LAYER, size: 2 ** 53 }],
    ['a size in text', { ...LAYER, size: '5' }],
    ['no size', { ...LAYER, size: undefined }],
    ['no media type', { ...LAYER, mediaType: undefined }],
    ['an empty media type', { ...LAYER, mediaType: '' }],
    ['a media type of 256 characters', { ...LAYER, mediaType: 'a'.repeat(256) }],
    ['an artifactType that is no text', { ...LAYER, artifactType: 1 }],
    ['an artifactType of 256 characters', { ...LAYER, artifactType: 'a'.repeat(256) }],
    ['annotations that are a list', { ...LAYER, annotations: [] }],
    ['an annotation that is no text', { ...LAYER, annotations: { a: 1 } }],
  ])('refuses %s', (_, value) => {
    expect(codeOf(() => parseDescriptor(value))).toBe('MANIFEST_INVALID');
  });

  it('says which one it was', () => {
    expect(() => parseDescriptor({ ...LAYER, size: -1 }, 'layers[3]')).toThrow('layers[3].size');
  });

  it('does not let a document touch prototypes', () => {
    const value = JSON.parse(
      `{"mediaType":"a/b","digest":"${DIGEST}","size":5,"annotations":{"__proto__":"x"}}`,
    );
    const { annotations } = parseDescriptor(value);
    expect(Object.entries(annotations ?? {})).toEqual([['__proto__', 'x']]);
    expect(Object.getPrototypeOf(annotations)).toBe(Object.prototype);
  });

  it('throws nothing but MANIFEST_INVALID', () => {
    const value = fc.anything();
    const nearly = fc.record({
      mediaType: value,
      digest: value,
      size: value,
      annotations: value,
      platform: value,
    });
    fc.assert(
      fc.property(fc.oneof(value, nearly), (value) => {
        expect([undefined, 'MANIFEST_INVALID']).toContain(codeOf(() => parseDescriptor(value)));
      }),
    );
  });
});
