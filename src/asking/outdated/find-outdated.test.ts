import { describe, expect, it } from 'vitest';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parseTag } from '../../oci/tag.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { parseAsked } from '../asked.ts';
import { AskError } from '../error.ts';
import { findOutdated, groupImages, openImage, type LookedAfter } from './find-outdated.ts';
import { OutdatedAnswer } from './outdated-answer.ts';
import type { OutdatedAsker } from './questions.ts';

const NOW = digestOf('now');
const CHILD = digestOf('child');
const OLD = digestOf('old');

/** A registry whose tags all stand for the index NOW with one child; `asked` has the questions to it. */
function registryOf(tags: readonly string[], asked: string[] = []): OutdatedAsker {
  const child = { mediaType: MediaType.ociManifest, digest: CHILD, size: 1 };
  const mediaType = MediaType.ociIndex;
  return {
    resolve: async (repository, reference) => {
      const tag = reference.kind === 'tag' ? reference.tag : reference.digest;
      asked.push(`resolve ${repository}:${tag}`);
      if (tags.includes(tag)) return { digest: NOW, mediaType, size: 1 };
      throw new UpstreamError('r', 'absent', 'not-found', `${tag} is not there`, { status: 404 });
    },
    manifest: async (repository) => {
      asked.push(`manifest ${repository}`);
      const content = { mediaType, layers: [], manifests: [child] };
      return { bytes: new Uint8Array(), mediaType, digest: NOW, verified: true, content };
    },
    tags: async function* (repository) {
      asked.push(`tags ${repository}`);
      for (const tag of tags) yield [parseTag(tag)];
    },
  };
}

const named = (text: string, line?: number): LookedAfter => ({
  asked: parseAsked(text),
  places: line === undefined ? [] : [{ file: 'Dockerfile', line }],
});

async function find(images: readonly LookedAfter[], registry: OutdatedAsker) {
  const askerOf = ({ name }: { readonly name: string }): OutdatedAsker => {
    if (name === 'none.example') throw new AskError('none.example cannot be asked');
    return registry;
  };
  const found = await findOutdated(images, askerOf);
  return OutdatedAnswer.parse({ images: found, notes: [] }).images;
}

const pinned = (name: string, digest: Digest): string => `${name}@${digest}`;

describe('an image', () => {
  it.each<[string, string, object]>([
    ['of the newest tag', 'a:3', { state: 'current', digest: NOW }],
    ['of the newest tag, pinned to its digest', pinned('a:3', NOW), { state: 'current' }],
    ['pinned to one platform of it', pinned('a:3', CHILD), { state: 'current' }],
    ['of an older tag', 'a:2', { state: 'outdated', newest: '3', reasons: ['3 is newer'] }],
    ['pinned to what its tag was', pinned('a:3', OLD), { state: 'outdated', reasons: [`3 is now ${NOW}`] }],
    ['with both', pinned('a:2', OLD), { state: 'outdated', reasons: [`2 is now ${NOW}`, '3 is newer'] }],
    ['of a tag that is no version', 'a:edge', { state: 'current', digest: NOW }],
    ['without a tag', 'a', { state: 'current', digest: NOW }],
    ['of a digest alone', pinned('a', OLD), { state: 'current', reasons: [] }],
    [
      'of a tag that is gone, though there is a newer one',
      'a:0',
      { state: 'outdated', newest: '3', reasons: ['3 is newer', 'r: 0 is not there'] },
    ],
    ['of a tag that is gone', 'a:9', { state: 'unknown', reasons: ['r: 9 is not there'] }],
    [
      'of a registry that cannot be asked',
      'none.example/a:1',
      { state: 'unknown', reasons: ['none.example cannot be asked'] },
    ],
    [
      'pinned by another algorithm',
      pinned('a:3', digestOf('x', 'sha512')),
      { state: 'unknown', reasons: [expect.stringContaining('it is pinned by sha512')] },
    ],
  ])('%s', async (_, text, expected) => {
    const [image] = await find([named(text)], registryOf(['latest', 'edge', '1', '2', '3']));
    expect(image).toMatchObject({ reasons: [], ...expected });
  });

  it('is named in full, with its places', async () => {
    const [image] = await find([named('debian:3', 7)], registryOf(['3']));
    expect(image).toMatchObject({
      image: 'docker.io/library/debian:3',
      places: [{ file: 'Dockerfile', line: 7 }],
    });
  });

  it('that a file leaves open is unknown', () => {
    const place = { file: 'Dockerfile', line: 2 };
    expect(openImage({ text: 'a:$V', place, reason: 'ARG V has no default' })).toEqual({
      image: 'a:$V',
      places: [place],
      state: 'unknown',
      reasons: ['ARG V has no default'],
    });
  });

  it('whose tags cannot be listed is outdated all the same if its digest is', async () => {
    const tags = async function* (): AsyncGenerator<never> {
      yield await Promise.reject(new UpstreamError('r', 'denied', 'rejected', 'no list', { status: 403 }));
    };
    const registry = { ...registryOf(['3']), tags };
    const [moved, same] = await find([named(pinned('a:3', OLD)), named('a:3')], registry);
    expect(moved).toMatchObject({ state: 'outdated', reasons: [`3 is now ${NOW}`, 'r: no list'] });
    expect(same).toMatchObject({ state: 'unknown', reasons: ['r: no list'] });
  });

  it('whose question fails for a mistake of ours is no answer', async () => {
    const registry = { ...registryOf([]), resolve: () => Promise.reject(new TypeError('a bug')) };
    await expect(find([named('a:1')], registry)).rejects.toThrow('a bug');
  });
});

describe('several images', () => {
  it('ask each question once', async () => {
    const asked: string[] = [];
    const images = [
      named('a:1'),
      named(pinned('a:1', OLD)),
      named(pinned('a:1', CHILD)),
      named('a:2'),
      named('b:1'),
    ];
    await find(images, registryOf(['1', '2'], asked));
    expect(asked.toSorted()).toEqual([
      'manifest library/a',
      'resolve library/a:1',
      'resolve library/a:2',
      'resolve library/b:1',
      'tags library/a',
      'tags library/b',
    ]);
  });

  it('that are the same one are one, with all places', () => {
    const images = [named('a:1', 1), named('b:1', 2), named('docker.io/library/a:1', 3), named('a:2', 4)];
    expect(groupImages(images).map(({ places }) => places.map(({ line }) => line))).toEqual([
      [1, 3],
      [2],
      [4],
    ]);
  });
});
