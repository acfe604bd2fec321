import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { TarFile } from '../../../test/support/tar.ts';
import { DEBIAN } from '../../index/content.contract.ts';
import { digestHex, digestOf, type Digest } from '../../oci/digest.ts';
import {
  LAYERS,
  NAME,
  CONFIG_BLOB,
  IMAGE,
  openWorld,
  expectNothing,
} from '../../../test/support/bundle-world.ts';

describe('an archive of docker save', () => {
  const layers = ['layer one', 'layer two'];
  const config = JSON.stringify({
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
  });
  const configPath = `${digestHex(digestOf(config))}.json`;
  const folder = (name: string): string => `${digestHex(digestOf(`folder ${name}`))}/layer.tar`;
  const list = (images: readonly object[]): TarFile => ({
    path: 'manifest.json',
    bytes: JSON.stringify(images),
  });
  const files: readonly TarFile[] = [
    { path: folder('one'), bytes: layers[0] ?? '' },
    { path: folder('two'), bytes: layers[1] ?? '' },
    { path: configPath, bytes: config },
    { path: 'repositories', bytes: '{}' },
  ];
  const named = { Config: configPath, RepoTags: [NAME], Layers: [folder('one'), folder('two')] };

  it('is imported under a manifest of its own, the same each time', async () => {
    const [world, other] = [await openWorld(), await openWorld()];
    const { images, refused } = await world.import([...files, list([named])]);
    expect(refused).toEqual([]);
    expect((await other.import([list([named]), ...files])).images).toEqual(images);
    const [root] = images;
    expect(await world.index.edges(root?.digest as Digest)).toMatchObject([
      { role: 'config', digest: digestOf(config) },
      ...layers.map((layer) => ({
        role: 'layer',
        digest: digestOf(layer),
        mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
      })),
    ]);
    expect(await world.index.belongs(DEBIAN, digestOf(config))).toBe(true);
  });

  it('may have layers by link, and compressed ones by their digest, as crane writes them', async () => {
    const world = await openWorld();
    const packed = gzipSync('layer one');
    const packedPath = `${digestHex(digestOf(packed))}.tar.gz`;
    const images = [
      named,
      {
        Config: `sha256:${digestHex(digestOf(config))}`,
        RepoTags: ['docker.io/library/debian:13'],
        Layers: [packedPath, folder('x')],
      },
    ];
    const more: readonly TarFile[] = [
      { path: folder('x'), type: '2', link: `../${folder('two')}` },
      { path: packedPath, bytes: packed },
      { path: `sha256:${digestHex(digestOf(config))}`, bytes: config },
    ];
    const { refused, images: imported } = await world.import([...files, ...more, list(images)]);
    expect([refused, imported.length]).toEqual([[], 2]);
    expect(await world.index.edges(imported[1]?.digest as Digest)).toMatchObject([
      {},
      { digest: digestOf(packed), mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' },
      { digest: digestOf('layer two') },
    ]);
  });

  it.each([
    [
      'a layer that its config does not name',
      [{ path: folder('one'), bytes: 'layer 0ne' }, ...files.slice(1), list([named])],
      /which nothing in the archive tells/,
    ],
    [
      'a config under another name',
      [...files.slice(0, 2), { path: configPath, bytes: `${config} ` }, list([named])],
      /which nothing in the archive tells/,
    ],
    ['a file missing', [...files.slice(1), list([named])], /has no file ".*layer.tar"/],
    [
      'a link in a circle',
      [...files.slice(1), { path: folder('one'), type: '2', link: 'layer.tar' }, list([named])],
      /has no file/,
    ],
    [
      'a layer missing in its config',
      [...files, list([{ ...named, Layers: [folder('one')] }])],
      /1 layers, and its config 2/,
    ],
    ['no config', [...files, list([{ Layers: [] }])], /without Config/],
    ['no layers', [...files, list([{ Config: configPath }])], /without Layers/],
    ['names that are none', [...files, list([{ ...named, RepoTags: [1] }])], /without RepoTags/],
    ['two files of one path', [...files, files[0] as TarFile, list([named])], /two files/],
  ])('is refused with %s', async (_, broken, reason) => {
    const world = await openWorld();
    await expect(world.import(broken)).rejects.toThrow(reason);
    await expectNothing(world);
  });
});

it('reads a directory of skopeo, whose manifest.json is the manifest', async () => {
  const world = await openWorld();
  const files = [CONFIG_BLOB, ...LAYERS].map(({ digest, file }) => ({ ...file, path: digestHex(digest) }));
  const manifest = { path: 'manifest.json', bytes: IMAGE.file.bytes ?? '' };
  const { images } = await world.import([{ path: 'version', bytes: 'v' }, ...files, manifest], { as: NAME });
  expect(images).toEqual([{ name: NAME, digest: IMAGE.digest, leftOut: [], elsewhere: [] }]);
});
