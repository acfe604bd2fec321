import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileHeader } from '../../test/support/hostile.ts';
import { MediaType } from '../oci/media-type.ts';
import { accepts, namesOnlySingleImages, parseAccept } from './accept.ts';
import type { HeaderLines } from './scanner.ts';

const { ociManifest, ociIndex, dockerManifest, dockerList, dockerSchema1Signed } = MediaType;

/** The Accept headers of containerd (one line) and podman (six lines). */
const CONTAINERD = `${dockerManifest}, ${dockerList}, ${ociManifest}, ${ociIndex}, */*`;
const PODMAN = [
  ociManifest,
  dockerManifest,
  dockerSchema1Signed,
  MediaType.dockerSchema1,
  dockerList,
  ociIndex,
];

describe('parseAccept', () => {
  it.each<[string, HeaderLines, [string, number][]]>([
    ['no header', undefined, []],
    ['an empty one', '', []],
    ['one type', 'a/b', [['a/b', 1]]],
    [
      'a list',
      'a/b, c/d,e/f',
      [
        ['a/b', 1],
        ['c/d', 1],
        ['e/f', 1],
      ],
    ],
    [
      'lines',
      ['a/b', 'c/d, */*'],
      [
        ['a/b', 1],
        ['c/d', 1],
        ['*/*', 1],
      ],
    ],
    ['upper case', 'A/B;Q=0.5', [['a/b', 0.5]]],
    [
      'weights',
      'a/b;q=0, c/d; q=0.123 ,e/f;q=1.000',
      [
        ['a/b', 0],
        ['c/d', 0.123],
        ['e/f', 1],
      ],
    ],
    [
      'parameters',
      'a/b;v=1;q=0.5;x="a, \\"b", c/d',
      [
        ['a/b', 0.5],
        ['c/d', 1],
      ],
    ],
    ['a parameter without a value', 'a/b; x; q=0.5', [['a/b', 0.5]]],
    [
      'weights that cannot be read',
      'a/b;q=2, c/d;q=-1, e/f;q=0.1234, g/h;q="0"',
      [
        ['a/b', 1],
        ['c/d', 1],
        ['e/f', 1],
        ['g/h', 1],
      ],
    ],
    ['malformed members', 'a, /b, a/b/c, , "x, y", <>, c/d', [['c/d', 1]]],
    ['a quote that nothing closes', 'a/b;x="y, c/d', [['a/b', 1]]],
  ])('reads %s', (_, header, ranges) => {
    expect(parseAccept(header).map(({ range, q }) => [range, q])).toEqual(ranges);
  });

  it('reads back any Accept that is written', () => {
    const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-z-]{1,8}$/);
    const range = fc.record({
      range: fc.tuple(token, token).map((parts) => parts.join('/')),
      q: fc.nat(1000).map((weight) => weight / 1000),
    });
    fc.assert(
      fc.property(fc.array(range, { maxLength: 10 }), (ranges) => {
        const members = ranges.map(({ range, q }) => `${range};q=${q}`);
        expect(parseAccept(members)).toEqual(ranges);
        expect(parseAccept(members.join(', '))).toEqual(ranges);
      }),
    );
  });

  it('never throws, and reads at most 100 members', () => {
    fc.assert(
      fc.property(hostileHeader, (header) => {
        expect(parseAccept(header).length).toBeLessThanOrEqual(100);
      }),
    );
    expect(parseAccept('a/b,'.repeat(2000))).toHaveLength(100);
  });
});

describe('accepts', () => {
  it.each<[HeaderLines, string, boolean]>([
    [undefined, ociIndex, true],
    ['', ociIndex, true],
    [CONTAINERD, dockerSchema1Signed, true],
    [PODMAN, ociIndex, true],
    [ociManifest, ociIndex, false],
    ['*/*', ociIndex, true],
    ['application/*', ociIndex, true],
    ['text/*', ociIndex, false],
    [`${ociIndex};q=0`, ociIndex, false],
    [`*/*, ${ociIndex};q=0`, ociIndex, false],
    [`${ociIndex}, */*;q=0`, ociIndex, true],
    [`application/*;q=0, */*`, ociIndex, false],
    [`${ociIndex};q=0, ${ociIndex};q=0.1`, ociIndex, true],
    [`${ociIndex}; charset=utf-8`, ociIndex, true],
    [`${ociIndex}+x`, ociIndex, false],
  ])('%j: %s %j', (header, mediaType, expected) => {
    expect(accepts(parseAccept(header), mediaType)).toBe(expected);
  });
});

describe('namesOnlySingleImages', () => {
  it.each<[string, HeaderLines, boolean]>([
    ['no header', undefined, false],
    ['the header in the Docker manual', dockerManifest, true],
    ['both single types', [ociManifest, dockerManifest], true],
    ['a single type and a type of no manifest', `${ociManifest}, application/json`, true],
    ['schema 1', dockerSchema1Signed, true],
    ['a single type and an index', `${ociManifest}, ${ociIndex}`, false],
    ['a list', `${dockerManifest}, ${dockerList}`, false],
    ['an index only', ociIndex, false],
    ['containerd', CONTAINERD, false],
    ['podman', PODMAN, false],
    ['a wildcard', `${dockerManifest}, */*;q=0.1`, false],
    ['a wildcard of the type', `${dockerManifest}, application/*`, false],
    ['a wildcard of another type', `${dockerManifest}, text/*`, true],
    ['a wildcard only, as curl', '*/*', false],
    ['no manifest at all', 'application/json', false],
    ['a single type that is refused', `${dockerManifest};q=0, application/json`, false],
    ['an index that is refused', `${dockerManifest}, ${dockerList};q=0`, true],
    ['all but indexes', `${dockerManifest}, */*, ${dockerList};q=0, ${ociIndex};q=0`, true],
  ])('of %s', (_, header, expected) => {
    expect(namesOnlySingleImages(parseAccept(header))).toBe(expected);
  });
});
