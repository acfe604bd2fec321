import { describe, expect, it } from 'vitest';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parseImageName, type ImageName } from '../layout/image-name.ts';
import type { Inventory } from '../layout/inventory.ts';
import { blobPath } from '../layout/paths.ts';
import { bundleFiles, type BundledImage } from './bundle-files.ts';

const NONE: Inventory = new Map();

function nameOf(text: string): ImageName {
  const name = parseImageName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
}

const manifest = (text: string): Descriptor => ({
  mediaType: MediaType.ociManifest,
  digest: digestOf(text),
  size: 5,
});

const blob = (text: string): Descriptor => ({ mediaType: 'a/layer', digest: digestOf(text), size: 7 });

function image(name: string, root: string, ...layers: readonly string[]): BundledImage {
  const manifestOf = manifest(root);
  return {
    names: [{ name: nameOf(name), manifest: manifestOf, isReferrer: false }],
    parts: [...layers.map(blob), manifestOf],
  };
}

const paths = (images: readonly BundledImage[], known = NONE): readonly string[] =>
  bundleFiles(images, known).map(({ path }) => path);

function roots(images: readonly BundledImage[]): unknown {
  const content = bundleFiles(images, NONE)[1]?.content;
  if (content === undefined || typeof content === 'string') throw new Error('there is no index');
  return JSON.parse(new TextDecoder().decode(content));
}

describe('the files of a bundle', () => {
  it('are the index, the manifests, then the blobs, each once, whatever the order of the images', () => {
    const images = [image('a.io/x:1', 'one', 'base', 'app'), image('a.io/y:1', 'two', 'base')];
    const sorted = (...texts: readonly string[]): string[] =>
      texts.map((text) => blobPath(digestOf(text))).toSorted();
    const expected = ['oci-layout', 'index.json', ...sorted('one', 'two'), ...sorted('base', 'app')];
    expect(paths(images)).toEqual(expected);
    expect(bundleFiles(images.toReversed(), NONE)).toEqual(bundleFiles(images, NONE));
  });

  it('lack what the same repository has on the other side', () => {
    const images = [image('a.io/x:2', 'two', 'base', 'new')];
    const known: Inventory = new Map([['a.io/x', new Set(['one', 'base'].map((text) => digestOf(text)))]]);
    expect(paths(images, known)).not.toContain(blobPath(digestOf('base')));
    expect(paths(images, known)).toContain(blobPath(digestOf('new')));
  });

  it('have what only another repository has there', () => {
    const known: Inventory = new Map([['a.io/x', new Set([digestOf('base')])]]);
    const shared = [image('a.io/x:1', 'one', 'base'), image('a.io/y:1', 'two', 'base')];
    expect(paths(shared, known)).toContain(blobPath(digestOf('base')));
    expect(paths(shared.toReversed(), known)).toContain(blobPath(digestOf('base')));
  });

  it('list an image as such, even if it is the referrer of another one', () => {
    const signature = image(`a.io/x@${digestOf('sig')}`, 'sig');
    const found = signature.names.map((each) => ({ ...each, isReferrer: true }));
    const signed = image('a.io/x:1', 'one');
    const both = { ...signed, names: [...signed.names, ...found] };
    for (const images of [
      [signature, both],
      [both, signature],
    ])
      expect(roots(images)).toMatchObject({
        manifests: [
          { digest: digestOf('one') },
          { annotations: { 'io.containerd.image.name': `a.io/x@${digestOf('sig')}` } },
        ],
      });
    expect(JSON.stringify(roots([both])).match(/io.containerd/g)).toHaveLength(1);
  });
});
