import { describe, expect, it } from 'vitest';
import {
  MediaType,
  WIDE_ACCEPT,
  bareMediaType,
  isIndexMediaType,
  isManifestMediaType,
  isSchema1MediaType,
} from './media-type.ts';

describe('bareMediaType', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    [' ', undefined],
    [';charset=utf-8', undefined],
    ['application/json', 'application/json'],
    [' Application/JSON ; charset=utf-8', 'application/json'],
    [`${MediaType.ociIndex};charset=utf-8;q="a;b"`, MediaType.ociIndex],
    [`${MediaType.ociIndex}, text/html`, `${MediaType.ociIndex}, text/html`],
  ])('of %j is %j', (contentType, bare) => {
    expect(bareMediaType(contentType)).toBe(bare);
  });
});

describe('the kinds of manifests', () => {
  it.each([
    [MediaType.ociManifest, false, false],
    [MediaType.ociArtifact, false, false],
    [MediaType.dockerManifest, false, false],
    [MediaType.ociIndex, true, false],
    [MediaType.dockerList, true, false],
    [MediaType.dockerSchema1, false, true],
    [MediaType.dockerSchema1Signed, false, true],
  ])('%s', (mediaType, isIndex, isSchema1) => {
    expect(isManifestMediaType(mediaType)).toBe(true);
    expect(isIndexMediaType(mediaType)).toBe(isIndex);
    expect(isSchema1MediaType(mediaType)).toBe(isSchema1);
  });

  it.each(['application/json', 'text/html', 'constructor', ''])(
    '%j is no type of a manifest',
    (mediaType) => {
      expect(isManifestMediaType(mediaType)).toBe(false);
    },
  );
});

describe('WIDE_ACCEPT', () => {
  it('names every type that an upstream may hold, so that it converts none, except unsigned schema 1', () => {
    expect(new Set(WIDE_ACCEPT)).toEqual(
      new Set(Object.values(MediaType).filter((mediaType) => mediaType !== MediaType.dockerSchema1)),
    );
    expect(WIDE_ACCEPT.at(-1)).toBe(MediaType.dockerSchema1Signed);
  });
});
