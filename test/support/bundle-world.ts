/** Small bundles, and a cache in memory to import them into. */
import { expect, onTestFinished } from 'vitest';
import { DEBIAN } from '../../src/index/content.contract.ts';
import type { ContentIndex } from '../../src/index/content-index.ts';
import { openSqliteIndex } from '../../src/index/sqlite/sqlite-index.ts';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { parseTag } from '../../src/oci/tag.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { BundleError } from '../../src/archive/bundle-error.ts';
import { parseImageName } from '../../src/archive/layout/image-name.ts';
import { blobPath } from '../../src/archive/layout/paths.ts';
import { readTar } from '../../src/archive/reading/read-tar.ts';
import { importBundle, type ImportResult } from '../../src/archive/import/import-bundle.ts';
import type { ImportCache, ImportRequest } from '../../src/archive/import/import-options.ts';
import { ManualClock } from './manual-clock.ts';
import { inPieces, tarOf, type TarFile } from './tar.ts';

export const NAME = 'docker.io/library/debian:12';
export const TAG = parseTag('12');

export interface Part {
  readonly digest: Digest;
  readonly size: number;
  readonly file: TarFile;
}

export function blob(content: string | object): Part {
  const bytes = typeof content === 'string' ? content : JSON.stringify(content);
  const digest = digestOf(bytes);
  return { digest, size: Buffer.byteLength(bytes), file: { path: blobPath(digest), bytes } };
}

export function pointer({ digest, size }: Part, mediaType: string, rest: object = {}): object {
  return { mediaType, digest, size, ...rest };
}

const CONFIG = 'application/vnd.oci.image.config.v1+json';
export const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export function image(layers: readonly Part[], config = blob({ config: 'c' }), rest: object = {}): Part {
  return blob({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: pointer(config, CONFIG),
    layers: layers.map((layer) => pointer(layer, LAYER)),
    ...rest,
  });
}

export function indexOf(children: readonly Part[], mediaType: string = MediaType.ociManifest): Part {
  const manifests = children.map((child, i) =>
    pointer(child, mediaType, { platform: { os: 'linux', architecture: ['amd64', 'arm64'][i] ?? 'arm' } }),
  );
  return blob({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests });
}

export function layoutIndex(roots: readonly (readonly [Part, string | undefined, string?])[]): TarFile {
  const manifests = roots.map(([root, name, mediaType = MediaType.ociManifest]) =>
    pointer(
      root,
      mediaType,
      name === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': name } },
    ),
  );
  return { path: 'index.json', bytes: JSON.stringify({ schemaVersion: 2, manifests }) };
}

export const LAYERS = [blob('layer one'), blob('layer two')];
export const CONFIG_BLOB = blob({ config: 'c' });
export const IMAGE = image(LAYERS);
export const FILES = [CONFIG_BLOB.file, ...LAYERS.map(({ file }) => file), IMAGE.file];
export const WHOLE = [...FILES, layoutIndex([[IMAGE, NAME]])];

export interface World {
  readonly store: BlobStore;
  readonly index: ContentIndex;
  readonly cache: ImportCache;
  import(files: readonly TarFile[] | Uint8Array, request?: ImportRequest): Promise<ImportResult>;
  stored(): Promise<readonly Digest[]>;
}

export async function openWorld(changes: Partial<ImportCache> = {}): Promise<World> {
  const store = createMemoryStore();
  const index = await openSqliteIndex(':memory:');
  onTestFinished(() => index.close());
  const cache: ImportCache = {
    store,
    index,
    clock: new ManualClock(),
    room: async () => Number.POSITIVE_INFINITY,
    maxBytes: undefined,
    nameOf(text) {
      const name = parseImageName(text);
      if (name === undefined && text.includes('/')) {
        return {
          key: { ...DEBIAN, repository: text.slice('docker.io/'.length) as never },
          reference: undefined,
        };
      }
      if (name === undefined) throw new BundleError(`${text} is no name`);
      return name;
    },
    onImported: () => {},
    ...changes,
  };
  return {
    store,
    index,
    cache,
    import(files, request = {}) {
      const bytes = files instanceof Uint8Array ? files : tarOf(files);
      const bundle = { size: bytes.length, entries: () => readTar(inPieces(bytes)) };
      return importBundle(cache, bundle, request, { signal: new AbortController().signal, report: () => {} });
    },
    async stored() {
      const digests: Digest[] = [];
      for await (const { digest } of cache.store.list()) digests.push(digest);
      return digests.toSorted();
    },
  };
}

export async function expectNothing(world: World): Promise<void> {
  const { index } = world;
  expect(await world.stored()).toEqual([]);
  expect(await index.blobs({ limit: 1 })).toEqual([]);
  expect(await index.repositories({ limit: 1 })).toEqual([]);
}

export const digestsOf = (parts: readonly Part[]): readonly Digest[] =>
  parts.map(({ digest }) => digest).toSorted();

export async function store({ store, index }: World, { digest, file }: Part): Promise<void> {
  await using ingest = await store.ingest({ digest });
  await ingest.write([Buffer.from(file.bytes ?? '')]);
  await ingest.commit();
  await index.putBlob({ digest, size: Buffer.from(file.bytes ?? '').length }, 0);
}
