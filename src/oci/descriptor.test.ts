import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDescriptor, readDescriptors } from './descriptor.ts';
import { digestOf } from './digest.ts';

const DIGEST = digestOf('layer');
const LAYER = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: DIGEST, size: 5 };

describe('readDescriptor', () => {
  it('reads back every descriptor that is written as JSON', () => {
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
        expect(JSON.parse(JSON.stringify(readDescriptor(read)))).toEqual(read);
      }),
    );
  });

  it('keeps only the members that Larder uses: urls are never followed', () => {
    expect(readDescriptor({ ...LAYER, urls: ['http://169.254.169.254/'], data: 'bGF5ZXI=', x: 1 })).toEqual(
      LAYER,
    );
  });

  it.each([
    ['null', { artifactType: null, annotations: null, platform: null }],
    ['an empty artifactType and a broken platform', { artifactType: '', platform: { os: 'linux' } }],
    ['an artifactType that is no text', { artifactType: 1 }],
    ['an artifactType of 256 characters', { artifactType: 'a'.repeat(256) }],
    ['annotations that are a list', { annotations: [] }],
    ['annotations that are a text', { annotations: 'a' }],
  ])('counts %s as absent', (_, members) => {
    expect(readDescriptor({ ...LAYER, ...members })).toStrictEqual(LAYER);
  });

  it('leaves out annotations that are no texts', () => {
    const annotations = { a: 'b', c: null, d: 1, e: {} };
    expect(readDescriptor({ ...LAYER, annotations })).toStrictEqual({ ...LAYER, annotations: { a: 'b' } });
  });

  it.each([undefined, null, '', 1, 'a'.repeat(256)])('counts the media type %j as absent', (mediaType) => {
    expect(readDescriptor({ ...LAYER, mediaType })).toStrictEqual({
      ...LAYER,
      mediaType: 'application/octet-stream',
    });
  });

  it.each([
    ['null', null],
    ['a list', [LAYER]],
    ['a text', 'sha256:'],
    ['no digest', { ...LAYER, digest: undefined }],
    ['a digest that is a path', { ...LAYER, digest: 'sha256:../../etc/passwd' }],
    ['an upper-case digest', { ...LAYER, digest: DIGEST.toUpperCase() }],
    ['an algorithm that is not registered', { ...LAYER, digest: `blake3:${'0'.repeat(64)}` }],
    ['a negative size', { ...LAYER, size: -1 }],
    ['a fractional size', { ...LAYER, size: 0.5 }],
    ['a size beyond exact numbers', { ...LAYER, size: 2 ** 53 }],
    ['a size in text', { ...LAYER, size: '5' }],
    ['no size', { ...LAYER, size: undefined }],
  ])('reads no descriptor from %s', (_, value) => {
    expect(readDescriptor(value)).toBeUndefined();
  });

  it('does not let a document touch prototypes', () => {
    const value = JSON.parse(
      `{"mediaType":"a/b","digest":"${DIGEST}","size":5,"annotations":{"__proto__":"x"}}`,
    );
    const { annotations } = readDescriptor(value) ?? {};
    expect(Object.entries(annotations ?? {})).toEqual([['__proto__', 'x']]);
    expect(Object.getPrototypeOf(annotations)).toBe(Object.prototype);
  });

  it('never throws', () => {
    const value = fc.anything();
    const members = { mediaType: value, digest: value, size: value, annotations: value, platform: value };
    const nearly = fc.record({ ...members, digest: fc.oneof(value, fc.constant(DIGEST)) });
    fc.assert(
      fc.property(fc.oneof(value, nearly), (value) => {
        const read = readDescriptor(value);
        expect([undefined, DIGEST]).toContain(read?.digest);
      }),
    );
  });
});

describe('readDescriptors', () => {
  it('keeps readable descriptors, in their order', () => {
    const other = { ...LAYER, digest: digestOf('other') };
    expect(readDescriptors([LAYER, null, {}, { ...LAYER, digest: 'blake3:00' }, other])).toEqual([
      LAYER,
      other,
    ]);
  });

  it('reads the first 4,000 members only', () => {
    const beyond = {
      get digest(): never {
        throw new Error('read');
      },
    };
    const list = [...Array.from({ length: 4000 }, () => LAYER), beyond];
    expect(readDescriptors(list)).toHaveLength(4000);
  });

  it.each([undefined, null, {}, 'text', 7, { 0: LAYER, length: 1 }])(
    'reads no descriptors from %j',
    (value) => {
      expect(readDescriptors(value)).toEqual([]);
    },
  );
});
