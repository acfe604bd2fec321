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

/** How much of what a column asks for the cache has on disk. */
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

/** Digests that are cached cost no question, so that nothing that happens to upstream can matter. */
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

/** Whatever is kept is what its name says, and no temporary file is left. */
export async function expectNothingWrongKept({ mirror }: Pick<World, 'mirror'>): Promise<void> {
  for (const name of await mirror.files('blobs/sha256')) {
    const digest = `sha256:${name}` as Digest;
    expect(digestOf(await readFile(mirror.pathOf(digest)))).toBe(digest);
  }
  expect(await mirror.files('ingest')).toEqual([]);
}
