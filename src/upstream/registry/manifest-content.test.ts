import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signedSchema1 } from '../../../test/support/schema1.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import { ContentMismatch, verifyManifest } from './manifest-content.ts';

const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] };
const encode = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));
const tag = parseReference('latest');
const by = (digest: Digest): Reference => ({ kind: 'digest', digest });

function verify(
  bytes: Uint8Array,
  contentType: string | undefined,
  reference: Reference = tag,
  claimedDigest?: string,
) {
  return verifyManifest({ bytes, contentType, claimedDigest }, reference);
}

describe('the media type', () => {
  test.each([
    [MediaType.ociIndex],
    [`${MediaType.ociIndex}; charset=utf-8`],
    ['Application/VND.OCI.image.index.v1+JSON'],
    ['text/plain'],
    ['application/json'],
    ['application/octet-stream'],
    [''],
    [undefined],
    [MediaType.dockerList],
  ])('an index served as %s is one', (contentType) => {
    expect(verify(encode(index), contentType).mediaType).toBe(MediaType.ociIndex);
  });

  test.each([['text/plain'], ['application/json'], [undefined], [MediaType.ociIndex]])(
    'an index that does not say so, served as %s, is one by its shape',
    (contentType) => {
      const document = { schemaVersion: 2, manifests: [], layers: null };
      expect(verify(encode(document), contentType).mediaType).toBe(MediaType.ociIndex);
    },
  );

  test.each([
    ['text/html', index],
    ['application/xml', index],
    [MediaType.ociManifest, index],
    ['text/plain', { manifests: [] }],
    ['text/plain', { schemaVersion: 2, manifests: [], config: {} }],
    [MediaType.ociIndex, { errors: [] }],
    ['text/plain', { ...index, mediaType: 'text/html' }],
    ['text/plain', 'text'],
    ['application/json', { errors: [] }],
    [MediaType.ociIndex, { ...index, layers: [] }],
    [MediaType.ociIndex, 7],
    [MediaType.dockerSchema1, index],
    [MediaType.dockerSchema1Signed, { schemaVersion: 1, layers: [] }],
    [MediaType.dockerSchema1, '<html>'],
  ])('%s is refused for %j', (contentType, document) => {
    expect(() => verify(encode(document), contentType)).toThrow(ContentMismatch);
  });
});

describe('the digest', () => {
  const bytes = encode(index);
  const other = digestOf('other');

  test('of a tag is sha256, even if upstream claims one of another algorithm', () => {
    const expected = { digest: digestOf(bytes), verified: true };
    expect(verify(bytes, MediaType.ociIndex)).toMatchObject(expected);
    expect(verify(bytes, MediaType.ociIndex, tag, digestOf(bytes))).toMatchObject(expected);
    expect(verify(bytes, MediaType.ociIndex, tag, digestOf(bytes, 'sha512'))).toMatchObject(expected);
    expect(verify(bytes, MediaType.ociIndex, tag, 'md5:00')).toMatchObject(expected);
  });

  test('is that of the reference, in its algorithm', () => {
    const digest = digestOf(bytes, 'sha512');
    expect(verify(bytes, MediaType.ociIndex, by(digest)).digest).toBe(digest);
    expect(() => verify(bytes, MediaType.ociIndex, by(other))).toThrow(`for ${other}`);
  });

  test('does not contradict the digest that upstream claims', () => {
    expect(() => verify(bytes, MediaType.ociIndex, tag, other)).toThrow(`claims the digest ${other}`);
    expect(() => verify(bytes, MediaType.ociIndex, by(digestOf(bytes)), other)).toThrow(ContentMismatch);
    expect(() => verify(bytes, MediaType.ociIndex, tag, digestOf('x', 'sha512'))).toThrow(ContentMismatch);
  });
});

describe('schema 1', () => {
  const { bytes: signed, payload } = signedSchema1({ schemaVersion: 1, fsLayers: [] });
  const unsigned = encode({ schemaVersion: 1 });
  const ofPayload = digestOf(payload);

  test.each([[MediaType.dockerSchema1Signed], ['application/json'], ['text/plain; charset=utf-8']])(
    'signed and served as %s has the digest of its payload',
    (contentType) => {
      const mediaType = MediaType.dockerSchema1Signed;
      const content = { mediaType, layers: [], manifests: [] };
      const expected = { mediaType, digest: ofPayload, verified: false, content };
      expect(verify(signed, contentType)).toEqual(expected);
      expect(verify(signed, contentType, tag, ofPayload)).toEqual(expected);
      expect(verify(signed, contentType, by(ofPayload))).toEqual(expected);
      const sha512 = digestOf(payload, 'sha512');
      expect(verify(signed, contentType, by(sha512), ofPayload).digest).toBe(sha512);
    },
  );

  test.each([
    [MediaType.dockerSchema1, unsigned],
    ['text/plain', unsigned],
    [MediaType.dockerSchema1Signed, signed],
  ])('served as %s whose digest is over its bytes is verified', (contentType, bytes) => {
    const digest = digestOf(bytes);
    expect(verify(bytes, contentType, by(digest))).toMatchObject({ digest, verified: true });
    expect(verify(bytes, contentType, tag, digest)).toMatchObject({ digest, verified: true });
  });

  test.each([
    ['unsigned', unsigned],
    ['signed', signed],
    ['signed without a payload', encode({ schemaVersion: 1, signatures: [{}] })],
  ])('%s that has neither digest is refused', (_name, bytes) => {
    const other = digestOf('other');
    expect(() => verify(bytes, 'text/plain', by(other))).toThrow(ContentMismatch);
    expect(() => verify(bytes, 'text/plain', tag, other)).toThrow(ContentMismatch);
    expect(() => verify(bytes, 'text/plain', by(digestOf(bytes)), other)).toThrow(ContentMismatch);
  });
});

test('any bytes are verified or refused', () => {
  const types = fc.constantFrom(undefined, 'text/plain', 'text/html', ...Object.values(MediaType));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      types,
      (bytes, type) => {
        try {
          const { digest, verified } = verify(bytes, type);
          return !verified || digest === digestOf(bytes);
        } catch (error) {
          return error instanceof ContentMismatch;
        }
      },
    ),
  );
});
