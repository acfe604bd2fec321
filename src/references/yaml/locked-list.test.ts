import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { parseImageReference } from '../../oci/image-reference.ts';
import { formatLockedList, type LockedImage } from './locked-list.ts';
import { kindOfFile } from '../kind-of-file.ts';
import { readReferences } from '../read-references.ts';

function locked(name: string, content: string, platforms?: readonly string[]): LockedImage {
  const digest = digestOf(content);
  return { image: { ...parseImageReference(name), digest }, platforms };
}

const APP = locked('ghcr.io/acme/app:1.2', 'app', ['linux/amd64', 'linux/arm64']);
const DEBIAN = locked('debian:12', 'debian');

describe('formatLockedList', () => {
  it('writes each image once, sorted, with its tag and its digest', () => {
    expect(formatLockedList([APP, DEBIAN, APP])).toBe(
      [
        '# Made by "larder lock". The digests are what is meant; the tags are for people, and for "larder lock --check".',
        'images:',
        `  - ref: docker.io/library/debian:12@${digestOf('debian')}`,
        `  - ref: ghcr.io/acme/app:1.2@${digestOf('app')}`,
        '    platforms:',
        '      - linux/amd64',
        '      - linux/arm64',
        '',
      ].join('\n'),
    );
  });

  it.each([
    [
      'of two entries, those of both',
      [['linux/arm64'], ['linux/amd64', 'linux/arm64']],
      ['linux/amd64', 'linux/arm64'],
    ],
    ['all, if one entry wants all', [['linux/amd64'], undefined, ['linux/arm64']], undefined],
  ])('writes the platforms %s, in any order of the entries', (_, entries, platforms) => {
    const images = entries.map((each) => locked('debian:12', 'debian', each));
    const text = formatLockedList([locked('debian:12', 'debian', platforms)]);
    expect(formatLockedList(images)).toBe(text);
    expect(formatLockedList(images.toReversed())).toBe(text);
  });

  it('writes an empty list', () => {
    const text = formatLockedList([]);
    expect(readReferences('image-list', 'images.lock', text)).toEqual({
      images: [],
      unresolved: [],
      notes: [],
    });
  });

  it('is read as the images that were written, whatever they are called', () => {
    const name = fc.constantFrom('debian', '1e3', 'null', 'true', 'ghcr.io/acme/app', 'localhost:5000/no');
    const tag = fc.constantFrom('1.10', 'null', 'yes', '0x1f', 'latest');
    const platforms = fc.option(fc.constant(['linux/arm/v7']), { nil: undefined });
    const image = fc
      .tuple(name, tag, fc.string(), platforms)
      .map(([repository, version, content, wanted]) => locked(`${repository}:${version}`, content, wanted));
    fc.assert(
      fc.property(fc.uniqueArray(image, { selector: keyOf }), (images) => {
        const read = readReferences('image-list', 'images.lock', formatLockedList(images));
        expect(read.unresolved).toEqual([]);
        const back = read.images.map(({ image: each, platforms: wanted }) => ({
          image: each as LockedImage['image'],
          platforms: wanted,
        }));
        const byKey = (a: LockedImage, b: LockedImage): number => (keyOf(a) < keyOf(b) ? -1 : 1);
        expect(back.toSorted(byKey)).toEqual(images.toSorted(byKey));
      }),
    );
  });

  it('has a name by which it is known for a list of images', () => {
    expect(kindOfFile('images.lock', formatLockedList([APP]))).toBe('image-list');
  });
});

function keyOf({ image }: LockedImage): string {
  const digest: Digest = image.digest;
  return `${image.registry}/${image.repository}:${image.tag ?? ''}@${digest}`;
}
