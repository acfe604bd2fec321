import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { inPieces, tarOf } from '../../../test/support/tar.ts';
import { DEBIAN, OTHER_DEBIAN } from '../../index/content.contract.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import type { BundleEntry } from '../reading/bundle-entry.ts';
import { readTar } from '../reading/read-tar.ts';
import { importBundle } from './import-bundle.ts';
import {
  FILES,
  NAME,
  TAG,
  blob,
  pointer,
  LAYER,
  image,
  indexOf,
  layoutIndex,
  LAYERS,
  CONFIG_BLOB,
  IMAGE,
  WHOLE,
  openWorld,
  expectNothing,
  digestsOf,
  store,
  type Part,
} from '../../../test/support/bundle-world.ts';

describe('an import', () => {
  it('gives an image to the repository that its name tells, with all that it refers to', async () => {
    const world = await openWorld();
    const { images, refused, blobs, added } = await world.import(WHOLE);
    expect({ refused, blobs, added }).toEqual({ refused: [], blobs: 4, added: 4 });
    expect(images).toEqual([{ name: NAME, digest: IMAGE.digest, leftOut: [], elsewhere: [] }]);
    expect((await world.index.tag(DEBIAN, TAG))?.digest).toBe(IMAGE.digest);
    for (const { digest } of [IMAGE, CONFIG_BLOB, ...LAYERS]) {
      expect((await world.index.standing(DEBIAN, digest)).source).toBe('imported');
    }
    expect(await world.stored()).toEqual(digestsOf([IMAGE, CONFIG_BLOB, ...LAYERS]));
    expect(await world.index.manifestType('docker.io', IMAGE.digest)).toBe(MediaType.ociManifest);
  });

  it.each([
    ['its list first', [...WHOLE].toReversed()],
    ['paths that begin by ./', WHOLE.map((file) => ({ ...file, path: `./${file.path}` }))],
    ['other files', [{ path: 'oci-layout', bytes: '{}' }, { path: 'SHA256SUMS', bytes: 'x' }, ...WHOLE]],
    ['a blob twice', [...FILES, ...WHOLE]],
  ])('reads an archive with %s', async (_, files) => {
    const world = await openWorld();
    expect((await world.import(files)).images).toHaveLength(1);
  });

  it.each([
    ['gzip', gzipSync(tarOf(WHOLE))],
    ['zstd', zstdCompressSync(tarOf(WHOLE))],
  ])('reads an archive that is compressed by %s', async (_, bytes) => {
    const world = await openWorld();
    expect((await world.import(bytes)).images).toHaveLength(1);
  });

  it('gives one image two names', async () => {
    const world = await openWorld();
    const index = layoutIndex([
      [IMAGE, NAME],
      [IMAGE, 'ghcr.io/library/debian:12'],
    ]);
    expect((await world.import([...FILES, index])).images).toHaveLength(2);
    for (const key of [DEBIAN, OTHER_DEBIAN]) {
      expect((await world.index.tag(key, TAG))?.digest).toBe(IMAGE.digest);
      expect(await world.index.belongs(key, CONFIG_BLOB.digest)).toBe(true);
    }
  });

  it('gives the children of an index first, and pins what it is asked to', async () => {
    const world = await openWorld();
    const other = image([blob('arm')], blob({ config: 'arm' }));
    const index = indexOf([IMAGE, other]);
    const files = [...FILES, blob('arm').file, blob({ config: 'arm' }).file, other.file, index.file];
    const manifests = vi.spyOn(world.index, 'putManifest');
    const tags = vi.spyOn(world.index, 'putTag');
    await world.import([...files, layoutIndex([[index, NAME, MediaType.ociIndex]])], { isPinned: true });
    expect(manifests.mock.calls.map(([, { descriptor }]) => descriptor.digest)).toEqual(
      [IMAGE, other, index].map(({ digest }) => digest),
    );
    expect(tags.mock.invocationCallOrder[0]).toBeGreaterThan(manifests.mock.invocationCallOrder[2] as number);
    expect(await world.index.pins({ limit: 10 })).toMatchObject([{ name: NAME, digest: index.digest }]);
    expect(await world.index.belongs(DEBIAN, blob('arm').digest)).toBe(true);
  });

  it('places a signature without a name beside the image that it is about', async () => {
    const world = await openWorld();
    const signature = image([], CONFIG_BLOB, { subject: pointer(IMAGE, MediaType.ociManifest) });
    const index = layoutIndex([
      [signature, undefined],
      [IMAGE, NAME],
    ]);
    await world.import([...FILES, signature.file, index]);
    expect(await world.index.referrers(DEBIAN, IMAGE.digest)).toMatchObject([{ digest: signature.digest }]);
  });

  it('takes the repository of plain tags from the operator', async () => {
    const world = await openWorld();
    const files = [
      ...FILES,
      layoutIndex([
        [IMAGE, '12'],
        [IMAGE, 'latest'],
      ]),
    ];
    await expect(world.import(files)).rejects.toThrow('say its repository by --as');
    await expectNothing(world);
    const { images } = await world.import(files, { as: 'docker.io/library/debian' });
    expect(images.map(({ name }) => name)).toEqual([NAME, 'docker.io/library/debian:latest']);
  });

  it('takes the name of a single image from the operator', async () => {
    const world = await openWorld();
    const files = [...FILES, layoutIndex([[IMAGE, undefined]])];
    expect((await world.import(files, { as: NAME })).images).toMatchObject([{ name: NAME }]);
    const other = 'docker.io/library/debian:13';
    expect((await world.import(WHOLE, { as: other })).images).toMatchObject([{ name: other }]);
    const repository = { as: 'docker.io/library/debian' };
    await expect(world.import(WHOLE, repository)).rejects.toThrow('leave out --as');
  });

  it('writes nothing again that is stored, but hashes it', async () => {
    const world = await openWorld();
    await world.import(WHOLE);
    Object.assign(world.store, { ingest: () => Promise.reject(new Error('written again')) });
    expect(await world.import(WHOLE)).toMatchObject({ blobs: 4, added: 0 });
  });

  it('goes on where it was interrupted', async () => {
    const world = await openWorld();
    const controller = new AbortController();
    const bytes = tarOf(WHOLE);
    const entries = async function* (): AsyncGenerator<BundleEntry> {
      for await (const entry of readTar(inPieces(bytes))) {
        if (entry.path === IMAGE.file.path) controller.abort(new Error('stopped'));
        yield entry;
      }
    };
    const work = { signal: controller.signal, report: () => {} };
    await expect(importBundle(world.cache, { size: 1, entries }, {}, work)).rejects.toThrow('stopped');
    expect(await world.stored()).toEqual(digestsOf([CONFIG_BLOB, ...LAYERS]));
    expect(await world.index.repositories({ limit: 1 })).toEqual([]);
    expect(await world.import(WHOLE)).toMatchObject({ blobs: 4, added: 1 });
  });

  it('tells how far it is', async () => {
    const world = await openWorld();
    const bytes = tarOf(WHOLE);
    const done: number[] = [];
    const bundle = {
      size: bytes.length,
      entries: (onRead: (bytes: number) => void = () => {}) => {
        onRead(1_000);
        onRead(bytes.length - 1_000);
        return readTar(inPieces(bytes));
      },
    };
    const report = (progress: { readonly done: number }) => void done.push(progress.done);
    await importBundle(world.cache, bundle, {}, { signal: new AbortController().signal, report });
    expect(done).toEqual([1_000, bytes.length]);
  });

  it('tells the mirror what has come', async () => {
    const told: unknown[] = [];
    const world = await openWorld({ onImported: (...args) => told.push(args) });
    await world.import(WHOLE);
    expect(told).toEqual([[DEBIAN, [CONFIG_BLOB, ...LAYERS, IMAGE].map(({ digest }) => digest)]]);
  });
});

describe('a blob that the bundle lacks', () => {
  const lacking = WHOLE.filter((file) => file !== LAYERS[1]?.file);
  const missing = `the blob ${LAYERS[1]?.digest} is missing`;

  it('is named with its image, of which nothing is announced', async () => {
    const world = await openWorld();
    const { images, refused } = await world.import(lacking);
    expect(images).toEqual([]);
    expect(refused).toEqual([{ name: NAME, digest: IMAGE.digest, problems: [missing] }]);
    await expectNothing(world);
  });

  it('is named, and what another request has got meanwhile stays', async () => {
    const world = await openWorld();
    const putBlob = world.index.putBlob.bind(world.index);
    vi.spyOn(world.index, 'putBlob').mockImplementation(async (stored, usedAt) => {
      await putBlob(stored, usedAt);
      if (stored.digest === LAYERS[0]?.digest)
        await world.index.putBelonging(OTHER_DEBIAN, stored.digest, 'given');
    });
    await world.import(lacking);
    expect(await world.stored()).toEqual([LAYERS[0]?.digest]);
  });

  it('is missing, too, if it was removed before its image was announced', async () => {
    const world = await openWorld();
    vi.spyOn(world.index, 'putBlob').mockImplementationOnce(async ({ digest }) => {
      await world.store.delete(digest);
    });
    const { images, refused } = await world.import(WHOLE);
    expect([images, refused[0]?.problems]).toEqual([[], [`the blob ${CONFIG_BLOB.digest} is missing`]]);
  });

  it('is told of each of many images, of the first ones with all that they lack', async () => {
    const world = await openWorld();
    const names = Array.from({ length: 101 }, (_, i) => [IMAGE, `docker.io/library/debian:${i}`] as const);
    const { refused } = await world.import([IMAGE.file, layoutIndex(names)]);
    expect(refused.map(({ problems }) => problems.length)).toEqual([
      ...Array.from({ length: 100 }, () => 3),
      1,
    ]);
  });

  it('does not keep the other images out', async () => {
    const world = await openWorld();
    const other = image([blob('third')]);
    const index = layoutIndex([
      [IMAGE, NAME],
      [other, 'docker.io/library/debian:13'],
    ]);
    const files = [...lacking.slice(0, -1), blob('third').file, other.file, index];
    const { images, refused } = await world.import(files);
    expect([images.length, refused.length]).toEqual([1, 1]);
    expect(await world.index.tag(DEBIAN, TAG)).toBeUndefined();
    expect(await world.stored()).toEqual(digestsOf([other, blob('third'), CONFIG_BLOB]));
  });

  it('counts as there if it belongs to the repository', async () => {
    const world = await openWorld();
    await world.import(WHOLE);
    const next = image([LAYERS[1] as Part, blob('new')]);
    const files = [blob('new').file, CONFIG_BLOB.file, next.file, layoutIndex([[next, NAME]])];
    expect((await world.import(files)).refused).toEqual([]);
    expect((await world.index.tag(DEBIAN, TAG))?.digest).toBe(next.digest);
  });

  it.each([
    ['is stored for another repository', 'given', OTHER_DEBIAN],
    ['is only claimed by the repository', undefined, DEBIAN],
  ] as const)('is not opened if it %s', async (_, source, key) => {
    const world = await openWorld();
    const secret = LAYERS[1] as Part;
    await store(world, secret);
    if (source !== undefined) await world.index.putBelonging(key, secret.digest, source);
    else {
      const edges = [{ role: 'layer', digest: secret.digest, size: secret.size, mediaType: LAYER }] as const;
      const claiming = { mediaType: MediaType.ociManifest, digest: digestOf('claiming'), size: 1 };
      await world.index.putManifest(key, { descriptor: claiming, subject: undefined }, edges);
    }
    expect((await world.import(lacking)).refused).toMatchObject([{ problems: [missing] }]);
    expect(await world.index.belongs(DEBIAN, secret.digest)).toBe(false);
    expect(await world.stored()).toEqual([secret.digest]);
  });

  it('is not opened by other bytes under its name', async () => {
    const world = await openWorld();
    const secret = LAYERS[1] as Part;
    await store(world, secret);
    const forged = { path: secret.file.path, bytes: 'layer 2!!' };
    await expect(world.import([forged, ...lacking])).rejects.toThrow(
      `${secret.digest}: its 9 bytes have the digest`,
    );
    expect(await world.index.belongs(DEBIAN, secret.digest)).toBe(false);
    expect(await world.stored()).toEqual([secret.digest]);
  });

  it('may be a layer that is in no registry', async () => {
    const world = await openWorld();
    const foreign = blob('windows');
    const type = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const manifest = image([], CONFIG_BLOB, { layers: [pointer(foreign, type)] });
    const { images } = await world.import([CONFIG_BLOB.file, manifest.file, layoutIndex([[manifest, NAME]])]);
    expect(images).toMatchObject([{ elsewhere: [foreign.digest] }]);
  });

  it('may be an image of an index, if the operator says so', async () => {
    const world = await openWorld();
    const index = indexOf([IMAGE, image([blob('arm')])]);
    const files = [...FILES, index.file, layoutIndex([[index, NAME, MediaType.ociIndex]])];
    const { refused } = await world.import(files);
    expect(refused[0]?.problems).toEqual([
      expect.stringMatching(/^the manifest sha256:\w+ \(linux\/arm64\) is missing$/),
    ]);
    expect((await world.import(files, { isPartial: true })).images).toMatchObject([
      { leftOut: ['linux/arm64'] },
    ]);
  });
});
