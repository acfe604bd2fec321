import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import { parseRepositoryName } from '../../src/oci/repository-name.ts';
import { parseTag } from '../../src/oci/tag.ts';
import type { Cached, Column } from './cell.ts';
import { BLOB_PATH, LAYER_DIGEST } from './question.ts';
import { LAYER, REGISTRY, type World } from './world.ts';

const KEY = { registry: REGISTRY, repository: parseRepositoryName('acme/app') };
const TAG = parseTag('latest');

/** Returns how much the cache has of the content that a column asks for. */
export async function cachedOf(world: World, column: Column): Promise<Cached> {
  const { mirror, image } = world;
  const isHere = async (digest: Digest): Promise<boolean> => (await mirror.store.stat(digest)) !== undefined;
  if (column === 'blob' || column === 'follower' || column === 'range') {
    return (await isHere(LAYER_DIGEST)) ? 'all' : 'nothing';
  }
  const isManifestHere = await isHere(image.digest);
  if (column === 'manifest') return isManifestHere ? 'all' : 'nothing';
  const isTagKnown = (await mirror.index.tag(KEY, TAG))?.digest === image.digest;
  if (!isTagKnown) return 'nothing';
  return isManifestHere ? 'all' : 'tag';
}

/** Expects that cached content is served by digest without a request to upstream, so that no fault there matters. */
export async function expectCachedServed(world: World): Promise<void> {
  const { mirror, image } = world;
  const before = world.requests;
  for (const [path, right] of [
    [`/v2/acme/app/manifests/${image.digest}`, image.bytes],
    [BLOB_PATH, LAYER],
  ] as const) {
    const { headers, body } = await mirror.get(path);
    expect([headers['cache-status'], body.equals(right)]).toEqual(['larder; hit', true]);
  }
  expect(world.requests).toBe(before);
}

/** Expects that every stored file has the digest that its name says, and that no temporary file is left. */
export async function expectNothingWrongKept({ mirror }: Pick<World, 'mirror'>): Promise<void> {
  for (const name of await mirror.files('blobs/sha256')) {
    const digest = `sha256:${name}` as Digest;
    expect(digestOf(await readFile(mirror.pathOf(digest)))).toBe(digest);
  }
  expect(await mirror.files('ingest')).toEqual([]);
}
