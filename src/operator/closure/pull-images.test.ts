import { expect, test } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { MediaType } from '../../oci/media-type.ts';
import { HIT } from '../../repository/outcome.ts';
import type { Repository } from '../../repository/repository.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { BytesReader } from '../../store/bytes-reader.ts';
import { StoreError } from '../../store/error.ts';
import { isPending } from '../../store/store-under-test.contract.ts';
import { pullImages, type PulledImage, type PullImagesOptions } from './pull-images.ts';

const LAYER = Buffer.from('a layer');
const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: describe('application/vnd.oci.image.config.v1+json', LAYER),
    layers: [describe('application/vnd.oci.image.layer.v1.tar', LAYER)],
  }),
);
const IMAGE = { digest: digestOf(MANIFEST), mediaType: MediaType.ociManifest, bytes: MANIFEST };

function describe(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** A repository with the image under each tag. */
function repositoryOf(key: Repository['key'], changes: Partial<Repository>): Repository {
  const repository: Partial<Repository> = {
    key,
    resolve: async (reference) => ({ reference, digest: IMAGE.digest, outcome: HIT }),
    manifest: async () => ({ manifest: IMAGE, outcome: HIT }),
    blob: async () => ({ reader: new BytesReader(LAYER), outcome: HIT }),
    ...changes,
  };
  return repository as Repository;
}

interface World {
  /** By the names of repositories. */
  readonly changes?: Readonly<Record<string, Partial<Repository>>>;
  readonly stat?: PullImagesOptions['store']['stat'];
  readonly signal?: AbortSignal;
}

function pull(references: readonly string[], world: World = {}): Promise<readonly PulledImage[]> {
  const { changes = {}, signal = new AbortController().signal } = world;
  const stat = world.stat ?? (async (digest) => ({ digest, size: 1 }));
  return pullImages(
    { references },
    {
      repositories: { find: (key) => repositoryOf(key, changes[key.repository] ?? {}) },
      naming: {
        upstreams: [{ name: 'ghcr.io', aliases: [], addLibrary: false }],
        defaultUpstream: 'ghcr.io',
      },
      store: { stat },
    },
    { signal, report: () => {} },
  );
}

/** A blob that does not come. */
class AwaitedReader extends BytesReader {
  readonly asked = Promise.withResolvers<void>();
  readonly closing = Promise.withResolvers<never>();
  isClosed = false;

  override available(): Promise<number> {
    this.asked.resolve();
    return this.closing.promise;
  }

  override async close(): Promise<void> {
    this.isClosed = true;
    this.closing.reject(new DOMException('closed', 'AbortError'));
  }
}

function opening(reader: BlobReader): Partial<Repository> {
  return { blob: async () => ({ reader, outcome: HIT }) };
}

test('images are pulled whole', async () => {
  const images = await pull(['acme/app:1', 'acme/other']);
  expect(images.map(({ reference }) => reference)).toEqual(['acme/app:1', 'acme/other']);
  for (const { closure } of images)
    expect(closure).toMatchObject({
      digest: IMAGE.digest,
      failures: [],
      parts: [IMAGE.digest, digestOf(LAYER)].map((digest) => ({ digest })),
    });
});

test('a bug ends the run, and nothing of it goes on afterwards', async () => {
  const bug = new TypeError('a bug');
  const reader = new AwaitedReader(LAYER);
  const slow = Promise.withResolvers<never>();
  const failing = Promise.withResolvers<never>();
  const pulling = pull(['acme/app', 'acme/slow', 'acme/buggy'], {
    changes: {
      'acme/app': opening(reader),
      'acme/slow': { resolve: () => slow.promise },
      'acme/buggy': { resolve: () => failing.promise },
    },
  });
  pulling.catch(() => {});
  await reader.asked.promise;
  failing.reject(bug);
  await expect.poll(() => reader.isClosed).toBe(true);
  expect(await isPending(pulling)).toBe(true);
  slow.reject(new Error('no longer asked'));
  await expect(pulling).rejects.toBe(bug);
});

test('a part that cannot be looked up on the disk is a failure of its image, not of the run', async () => {
  const error = new StoreError('look up', { code: 'EIO' });
  const [image] = await pull(['acme/app'], { stat: () => Promise.reject(error) });
  expect(image?.closure.parts).toEqual([]);
  expect(image?.closure.failures).toContainEqual({ digest: IMAGE.digest, reason: error.message });
});

test('a run that was cancelled before it began asks for nothing', async () => {
  const reason = new Error('cancelled');
  const resolve = (): never => expect.fail('asked');
  const pulling = pull(['acme/app', 'acme/other'], {
    signal: AbortSignal.abort(reason),
    changes: { 'acme/app': { resolve }, 'acme/other': { resolve } },
  });
  await expect(pulling).rejects.toBe(reason);
});
