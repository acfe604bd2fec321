import { expect, test } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { inlineParser, ParserError, type Parser } from '../../upstream/registry/parsing/parser.ts';
import { LinuxImages } from './linux-image.ts';
import type { StoredManifest } from '../../content/stored-manifest.ts';

const CHILD = digestOf('child');

function indexFor(architecture: string): StoredManifest {
  const platform = { os: 'linux', architecture };
  const manifests = [{ mediaType: MediaType.ociManifest, digest: CHILD, size: 5, platform }];
  const document = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return { digest: digestOf(bytes), mediaType: MediaType.ociIndex, bytes };
}

/** Sets up a parser that counts, and fails while `isFull` is set. */
function start(): { readonly images: LinuxImages; readonly parsed: { count: number; isFull: boolean } } {
  const parsed = { count: 0, isFull: false };
  const parser: Parser = {
    run(work, bytes) {
      parsed.count += 1;
      return parsed.isFull ? Promise.reject(new ParserError('too many')) : inlineParser.run(work, bytes);
    },
  };
  return { images: new LinuxImages(() => 0, parser), parsed };
}

const REGISTRY = 'registry.test';
const INDEX = indexFor('amd64');

test('an index is read once, for requests at the same time and for later ones', async () => {
  const { images, parsed } = start();
  const children = await Promise.all(Array.from({ length: 70 }, () => images.child(REGISTRY, INDEX)));
  expect(new Set(children)).toEqual(new Set([CHILD]));
  expect(await images.child(REGISTRY, INDEX)).toBe(CHILD);
  expect(parsed.count).toBe(1);
});

test('an index without the image is read once, too', async () => {
  const { images, parsed } = start();
  for (const _ of [1, 2]) {
    await expect(images.child(REGISTRY, indexFor('arm64'))).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
    });
  }
  expect(parsed.count).toBe(1);
});

test('an index that could not be read is read when it is asked for again', async () => {
  const { images, parsed } = start();
  parsed.isFull = true;
  await expect(images.child(REGISTRY, INDEX)).rejects.toMatchObject({ reason: 'content' });
  parsed.isFull = false;
  expect(await images.child(REGISTRY, INDEX)).toBe(CHILD);
});

test('the same bytes are read anew for another upstream and for another type', async () => {
  const { images, parsed } = start();
  await images.child(REGISTRY, INDEX);
  await images.child('other.test', INDEX);
  await images.child(REGISTRY, { ...INDEX, mediaType: MediaType.dockerList });
  expect(parsed.count).toBe(3);
});
