import { describe, expect, it } from 'vitest';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parseImageName } from '../layout/image-name.ts';
import { formatLayoutIndex, type NamedRoot } from '../layout/layout-index.ts';
import { blobPath } from '../layout/paths.ts';
import type { BundleEntry } from './bundle-entry.ts';
import { readInventory } from './bundle-inventory.ts';

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function entry(path: string, bytes: Uint8Array): BundleEntry {
  return {
    path,
    size: bytes.length,
    bytes: (async function* () {
      yield bytes;
    })(),
  };
}

const describeBytes = (bytes: Uint8Array, mediaType: string = MediaType.ociManifest): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

const layer = (text: string): Uint8Array => new TextEncoder().encode(text);

const image = (...layers: readonly Uint8Array[]): Uint8Array =>
  encode({ schemaVersion: 2, layers: layers.map((bytes) => describeBytes(bytes, 'a/layer')) });

function root(text: string, bytes: Uint8Array): NamedRoot {
  const name = parseImageName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return { name, descriptor: describeBytes(bytes) };
}

async function inventoryOf(
  roots: readonly NamedRoot[],
  blobs: readonly Uint8Array[],
): Promise<Readonly<Record<string, readonly Digest[]>>> {
  async function* entries(): AsyncGenerator<BundleEntry> {
    for (const bytes of blobs) yield entry(blobPath(digestOf(bytes)), bytes);
    yield entry('index.json', formatLayoutIndex(roots));
  }
  const inventory = await readInventory(entries());
  return Object.fromEntries([...inventory].map(([path, digests]) => [path, [...digests].toSorted()]));
}

const digestsOf = (...blobs: readonly Uint8Array[]): readonly Digest[] =>
  blobs.map((it) => digestOf(it)).toSorted();

describe('the inventory of a bundle', () => {
  const [base, one, two] = [layer('base'), layer('one'), layer('two')];
  const [first, second] = [image(base, one), image(base, two)];
  const list = encode({ schemaVersion: 2, manifests: [first, second].map((bytes) => describeBytes(bytes)) });

  it('gives each repository what its names lead to', async () => {
    const roots = [root('a.io/x:1', first), root('a.io/y:1', second)];
    expect(await inventoryOf(roots, [base, one, two, first, second])).toEqual({
      'a.io/x': digestsOf(first, base, one),
      'a.io/y': digestsOf(second, base, two),
    });
  });

  it('has an index with its images, as far as they are in the bundle', async () => {
    expect(await inventoryOf([root('a.io/x:1', list)], [list, first, base])).toEqual({
      'a.io/x': digestsOf(list, first, base),
    });
  });

  it('has nothing of an image that was left out', async () => {
    expect(await inventoryOf([root('a.io/x:1', first)], [one])).toEqual({ 'a.io/x': [] });
  });

  it('survives manifests that refer to each other, and blobs that begin like JSON', async () => {
    const broken = layer('{"layers":');
    const odd = image(broken);
    expect(await inventoryOf([root('a.io/x:1', odd), root('a.io/x:2', odd)], [odd, broken])).toEqual({
      'a.io/x': digestsOf(odd, broken),
    });
  });

  it('cannot be read from anything but a layout', async () => {
    async function* entries(index?: Uint8Array): AsyncGenerator<BundleEntry> {
      if (index !== undefined) yield entry('index.json', index);
    }
    await expect(readInventory(entries())).rejects.toThrow('no index.json');
    await expect(readInventory(entries(layer('[]')))).rejects.toThrow('index.json cannot be read');
  });
});
