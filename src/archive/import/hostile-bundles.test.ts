import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { tarEntry, tarOf, type TarFile } from '../../../test/support/tar.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { StoreError } from '../../store/error.ts';
import { BundleError } from '../bundle-error.ts';
import { blobPath } from '../layout/paths.ts';
import {
  NAME,
  blob,
  image,
  indexOf,
  layoutIndex,
  LAYERS,
  IMAGE,
  FILES,
  WHOLE,
  openWorld,
  expectNothing,
  type Part,
} from '../../../test/support/bundle-world.ts';

describe('a bundle is refused whole, and leaves nothing:', () => {
  const flipped = { path: LAYERS[0]?.file.path ?? '', bytes: 'layer onf' };
  const truncated = tarOf(WHOLE);
  const big = Buffer.concat([
    ...FILES.map(tarEntry),
    tarEntry({ path: blobPath(digestOf('big')), size: 10e9 }),
  ]);
  it.each<readonly [string, readonly TarFile[] | Uint8Array, RegExp]>([
    ['one flipped byte', [flipped, ...WHOLE.slice(2)], /have the digest/],
    ['a flipped byte in a second copy', [...WHOLE, flipped], /have the digest/],
    ['a path that leads out', [...WHOLE, { path: '../../x', bytes: 'x' }], /leads out/],
    [
      'a blob that is a link',
      [{ path: LAYERS[0]?.file.path ?? '', type: '2', link: '/etc/passwd' }, ...WHOLE],
      /is a link to/,
    ],
    ['a link that leads out', [{ path: 'a', type: '2', link: '../b' }, ...WHOLE], /is a link to/],
    ['a hard link', [{ path: 'a', type: '1', link: 'b' }, ...WHOLE], /is a link/],
    ['a device', [{ path: 'a', type: '4' }, ...WHOLE], /block-device/],
    [
      'a list that is too long',
      [{ path: 'index.json', bytes: Buffer.alloc(5 * 2 ** 20, ' ') }],
      /index.json has 5242880 bytes/,
    ],
    ['two lists', [...WHOLE, layoutIndex([])], /two files index.json/],
    ['no list', FILES, /neither an index.json nor/],
    ['a list that is no JSON', [...FILES, { path: 'index.json', bytes: '{' }], /not JSON/],
    ['a header that says 10 GB', big, /no whole tar/],
    ['the end cut off', truncated.subarray(0, -1_024), /no whole tar/],
    ['a blob cut off', truncated.subarray(0, 1_700), /no whole tar/],
    ['a list cut off', truncated.subarray(0, -1_024 - 512), /no whole tar/],
    [
      'too many other bytes',
      [...WHOLE, { path: 'readme', bytes: Buffer.alloc(65 * 2 ** 20) }],
      /other files, such as "readme"/,
    ],
    [
      'a zstd bomb',
      zstdCompressSync(tarOf([...WHOLE, { path: 'x', bytes: Buffer.alloc(65 * 2 ** 20) }])),
      /other files/,
    ],
  ])('%s', async (_, files, reason) => {
    const world = await openWorld();
    const importing = world.import(files);
    await expect(importing).rejects.toThrow(reason);
    await expect(importing).rejects.toBeInstanceOf(BundleError);
    await expectNothing(world);
  });

  it.each([
    ['more than the cache keeps', { maxBytes: 20 }, /more bytes than the cache keeps: 20/],
    ['more than there is room for', { room: async () => 0 }, /no room for a blob of \d+ bytes/],
  ])('%s', async (_, changes, reason) => {
    const world = await openWorld(changes);
    await expect(world.import(WHOLE)).rejects.toThrow(reason);
    await expectNothing(world);
  });

  it('more than there is room for, before anything has to go for it', async () => {
    const world = await openWorld({ room: async () => 0 });
    const ingest = vi.spyOn(world.store, 'ingest');
    await expect(world.import(WHOLE)).rejects.toThrow('no room');
    expect(ingest).not.toHaveBeenCalled();
  });

  it('more than there is room for in the end', async () => {
    const world = await openWorld({ room: async ({ offset }) => (offset < 70_000 ? 70_000 : 0) });
    const large = blob('x'.repeat(200_000));
    await expect(world.import([large.file, ...WHOLE])).rejects.toThrow('no room for a blob of 200000 bytes');
    await expectNothing(world);
  });

  it.each([
    ['ENOSPC', 0],
    ['EIO', 1],
  ])('one for which the disk has no room, but not one that the disk interrupts: %s', async (code, left) => {
    const world = await openWorld();
    const ingest = world.store.ingest.bind(world.store);
    const fail = (): never => {
      throw new StoreError('write', { code });
    };
    vi.spyOn(world.store, 'ingest')
      .mockImplementationOnce(ingest)
      .mockImplementationOnce(async () => fail());
    await expect(world.import(WHOLE)).rejects.toMatchObject({ code });
    expect(await world.stored()).toHaveLength(left);
  });

  it('a name that is not configured here', async () => {
    const world = await openWorld({
      nameOf: (text) => {
        throw new BundleError(`${text}: its registry is not configured`);
      },
    });
    await expect(world.import(WHOLE)).rejects.toThrow('not configured');
    await expectNothing(world);
  });
});

describe('an image is refused:', () => {
  function chain(depth: number): readonly Part[] {
    const parts = [indexOf([IMAGE])];
    while (parts.length < depth) parts.unshift(indexOf([parts[0] as Part], MediaType.ociIndex));
    return parts;
  }
  const deep = chain(4);
  const liar = image([{ ...(LAYERS[0] as Part), size: 8 }]);
  it.each([
    [
      'its manifest is missing',
      WHOLE.filter((file) => file !== IMAGE.file),
      IMAGE,
      /the manifest .* is missing/,
    ],
    ['a descriptor has a wrong size', [...FILES, liar.file], liar, /has 9 bytes, but its descriptor says 8/],
    ['its list says a wrong size', FILES, { ...IMAGE, size: 1 }, /but its descriptor says 1/],
    [
      'its manifest is none',
      [...FILES, blob('no json').file],
      blob('no json'),
      /no manifest that can be served/,
    ],
    [
      'it nests too deep',
      [...FILES, ...deep.map(({ file }) => file)],
      deep[0] as Part,
      /more than 4 manifests deep/,
    ],
  ])('%s', async (_, files, root, problem) => {
    const world = await openWorld();
    const type = root === deep[0] ? MediaType.ociIndex : MediaType.ociManifest;
    const list = layoutIndex([[root, NAME, type]]);
    const { images, refused } = await world.import([
      ...files.filter(({ path }) => path !== 'index.json'),
      list,
    ]);
    expect(images).toEqual([]);
    expect(refused[0]?.problems[0]).toMatch(problem);
    await expectNothing(world);
  });

  it('but not for being three manifests deep', async () => {
    const world = await openWorld();
    const parts = chain(3);
    const list = layoutIndex([[parts[0] as Part, NAME, MediaType.ociIndex]]);
    const { refused } = await world.import([...FILES, ...parts.map(({ file }) => file), list]);
    expect(refused).toEqual([]);
  });

  it('a cycle, which can only be told by forged names', async () => {
    const world = await openWorld();
    const digest = digestOf('cycle');
    const bytes = JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: [{ mediaType: MediaType.ociIndex, digest, size: 1 }],
    });
    await expect(world.import([{ path: blobPath(digest), bytes }, ...WHOLE])).rejects.toThrow(
      'have the digest',
    );
    await expectNothing(world);
  });
});
