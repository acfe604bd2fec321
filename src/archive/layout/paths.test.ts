import { expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { blobPath, digestOfPath } from './paths.ts';

const HEX = digestOf('a').slice('sha256:'.length);

it.each([digestOf('a'), digestOf('a', 'sha512')])('the path of %s leads back to it', (digest) => {
  expect(digestOfPath(blobPath(digest))).toBe(digest);
  expect(digestOfPath(`./${blobPath(digest)}`)).toBe(digest);
});

it('of sha256 stands in its folder', () => {
  expect(blobPath(digestOf('a'))).toBe(`blobs/sha256/${HEX}`);
});

it.each([
  '',
  'index.json',
  `blobs/sha256/${HEX}/`,
  `blobs/sha256/../sha256/${HEX}`,
  `blobs/sha512/${HEX}`,
  `blobs/md5/${HEX}`,
  `blobs/sha256/${HEX.toUpperCase()}`,
  `/blobs/sha256/${HEX}`,
  `x/blobs/sha256/${HEX}`,
  `blobs/sha256/${HEX}\n`,
])('%j is the path of no blob', (path) => expect(digestOfPath(path)).toBeUndefined());
