import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareVersions, parseVersion, type Version } from './version.ts';

function version(tag: string): Version {
  const parsed = parseVersion(tag);
  if (parsed === undefined) throw new Error(`${tag} is no version`);
  return parsed;
}

/** Writes what is known of a version, as far as its parts say it. */
function said({ kind, numbers, prerelease, build, series }: Version): string {
  const before = prerelease === undefined ? '' : ` ${prerelease.word} ${prerelease.numbers.join('.')}`;
  return `${kind} ${numbers.join('.')}${before}${build === -1 ? '' : ` #${build}`} ${series}`;
}

describe('a tag', () => {
  test.each([
    ['3', 'version 3 *'],
    ['3.20', 'version 3.20 *'],
    ['v1.2.3', 'version 1.2.3 *'],
    ['22.04', 'version 22.4 *'],
    ['10.0.20348.2227-amd64', 'version 10.0.20348.2227 *-amd64'],
    ['1.2.3-alpine3.20', 'version 1.2.3 *-alpine3.20'],
    ['16-3.4-alpine', 'version 16 *-3.4-alpine'],
    ['1.22rc1-alpine3.19', 'version 1.22 rc 1 *-alpine3.19'],
    ['3.13.0a3', 'version 3.13.0 a 3 *'],
    ['3.13-rc', 'version 3.13 rc  *'],
    ['1.29.0-alpha.0', 'version 1.29.0 alpha 0 *'],
    ['v1.29.0-beta.1.2', 'version 1.29.0 beta 1.2 *'],
    ['8.12.0-SNAPSHOT', 'version 8.12.0 snapshot  *'],
    ['6.0.0-M1', 'version 6.0.0 m 1 *'],
    ['23-ea-17-jdk-slim', 'version 23 ea 17 *-jdk-slim'],
    ['1.2.3-b2', 'version 1.2.3 #2 *-b#'],
    ['21.0.1_12-jre', 'version 21.0.1 #12 *_#-jre'],
    ['8u402-jdk', 'version 8 #402 *u#-jdk'],
    ['1.2.3-debian-12-r5', 'version 1.2.3 #5 *-debian-12-r#'],
    ['1.2.3-debian-12', 'version 1.2.3 *-debian-12'],
    ['1.2.3-ls45', 'version 1.2.3 #45 *-ls#'],
    ['v1.28.3-k3s1', 'version 1.28.3 #1 *-k3s#'],
    ['v1.28.3-eksbuild.2', 'version 1.28.3 #2 *-eksbuild.#'],
    ['16.7.4-ce.0', 'version 16.7.4 *-ce.0'],
    ['1.2.3-5-gabc1234', 'version 1.2.3 #5 *-#-<commit>'],
    ['version-1.2.3', 'version 1.2.3 version-*'],
    ['20240329', 'date 20240329.0 <date>'],
    ['2024-03-29', 'date 20240329.0 <date>'],
    ['bookworm-20240110-slim', 'date 20240110.0 bookworm-<date>-slim'],
    ['RELEASE.2024-01-16T16-07-38Z', 'date 20240116.160738 RELEASE.<date>'],
    ['20240115-2', 'date 20240115.2 <date>'],
    ['20240115123456', 'date 20240115.123456 <date>'],
    ['2024.01.15', 'version 2024.1.15 *'],
  ])('%s is read as %s', (tag, expected) => {
    expect(said(version(tag))).toBe(expected);
  });

  test.each([
    'latest',
    'bookworm',
    'stable-slim',
    'ltsc2022',
    'alpine3.20',
    '0a1b2c3',
    'sha-0a1b2c3',
    'sha-1234567',
    'main-abc1234',
    'sha256-0a1b2c3d4e5f.sig',
    `sha256-${'0'.repeat(64)}`,
    '1699999999',
    '123456',
    '1.2.3.4.5',
    '20241301',
    '_1',
  ])('%s counts nothing up', (tag) => {
    expect(parseVersion(tag)).toBeUndefined();
  });
});

describe('the order', () => {
  test.each([
    [['1.9', '1.10', '2']],
    [['1.2', '1.2.0', '1.2.1']],
    [['1.2.0-dev', '1.2.0-alpha', '1.2.0-alpha.2', '1.2.0-alpha.10', '1.2.0-beta', '1.2.0-rc1', '1.2.0']],
    [['3.13.0a3', '3.13.0b1', '3.13.0rc1', '3.13.0', '3.13.1a1']],
    [['21.0.1_9-jre', '21.0.1_12-jre', '21.0.2_1-jre']],
    [['1.2.3-ls9', '1.2.3-ls10', '1.2.4-ls11']],
    [['bookworm-20240110', 'bookworm-20240211', 'bookworm-20240211.1']],
    [['v1.2', '1.3', 'v1.4']],
  ])('of %j is this', (tags) => {
    const sorted = tags.toReversed().map(version).toSorted(compareVersions);
    expect(sorted.map(({ tag }) => tag)).toEqual(tags);
    expect(new Set(sorted.map(({ series }) => series)).size).toBe(1);
  });
});

const number = fc.oneof(fc.nat(30), fc.nat(99_999));
const numbers = fc.array(number, { minLength: 1, maxLength: 4 });
const before = fc.constantFrom('', '-rc.1', '-beta', 'a2', '-M3', '-SNAPSHOT', '-alpha.1.2');
const suffix = fc.constantFrom('', '-alpine3.20', '-slim', '_12-jre', '-ls45', '-debian-12-r5', '-abc1234');
const prefix = fc.constantFrom('', 'v', 'release-', 'version-v');

const written = fc.record({ prefix, numbers, before, suffix });

const tags = fc.oneof(
  written.map(
    ({ prefix: first, numbers: list, before: middle, suffix: last }) =>
      `${first}${list.join('.')}${middle}${last}`,
  ),
  fc.constantFrom(
    '20240110',
    'bookworm-20240110-slim',
    'RELEASE.2024-01-16T16-07-38Z',
    'bookworm-20240211-slim',
  ),
);

describe('whatever a tag is made of', () => {
  test('it is read as it was written', () => {
    fc.assert(
      fc.property(written, ({ prefix: first, numbers: list, before: middle, suffix: last }) => {
        const parsed = version(`${first}${list.join('.')}${middle}${last}`);
        expect(parsed.numbers).toEqual(list);
        expect(parsed.prerelease === undefined).toBe(middle === '');
        expect(parsed.series.startsWith(`${first.replace(/v$/, '')}*`)).toBe(true);
        const counts = parsed.series
          .replace(/#$|#(?=-)/, String(parsed.build))
          .replace('-<commit>', '-abc1234');
        expect(counts.endsWith(last)).toBe(true);
      }),
    );
  });

  test('all versions have one order, in which only equal tags are equal', () => {
    fc.assert(
      fc.property(tags, tags, tags, (...three) => {
        const [a, b, c] = three.map(version).toSorted(compareVersions);
        if (a === undefined || b === undefined || c === undefined) throw new Error('three were made');
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        expect(compareVersions(a, b) === 0).toBe(a.tag === b.tag);
      }),
    );
  });

  test('no text is refused with an error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseVersion(text)).not.toThrow();
      }),
    );
  });
});
