import { describe, expect, test } from 'vitest';
import { NewestOfMainSeries, NewestVersions } from './newest.ts';
import { isInRange, parseVersionRange } from './range.ts';
import { parseVersion, type Version } from './version.ts';

interface Case {
  /** The repository whose habits the list follows. The lists are made by hand, and are no copies. */
  readonly like: string;
  readonly tags: string;
  /** The newest tag, without prereleases. */
  readonly newest: string;
  /** The newest in a range. */
  readonly ranges?: Readonly<Record<string, string>>;
  /** The newest of the series of a tag: what a user of that tag would change to. */
  readonly series?: Readonly<Record<string, string>>;
}

const CASES: readonly Case[] = [
  {
    like: 'alpine',
    tags: '20240329 20240606 3 3.19 3.19.1 3.20 3.20.0 3.20.3 edge latest',
    newest: '3.20.3',
    ranges: { '^3.19': '3.20.3', '~3.19.0': '3.19.1' },
    series: { '20240329': '20240606' },
  },
  {
    like: 'debian',
    tags: '11 11.9 12 12.4 12.4-slim 12.5 12.5-slim bookworm bookworm-20240110 bookworm-20240211 bookworm-20240110-slim bookworm-20240211-slim sid testing stable-slim latest',
    newest: '12.5',
    series: { 'bookworm-20240110-slim': 'bookworm-20240211-slim', '12.4-slim': '12.5-slim' },
  },
  {
    like: 'ubuntu',
    tags: '18.04 20.04 22.04 22.10 24.04 jammy jammy-20240111 jammy-20240227 noble rolling devel latest',
    newest: '24.04',
    ranges: { 22: '22.10', '<=22.04': '22.04' },
    series: { 'jammy-20240111': 'jammy-20240227' },
  },
  {
    like: 'node',
    tags: '18 18.19.0 18.19.0-alpine 18.19.0-alpine3.19 20 20.11.0 20.11.0-alpine 20.11.0-alpine3.18 20.11.0-alpine3.19 20.11.1-alpine3.19 21.6.1 21.6.1-bookworm-slim lts iron current-slim latest',
    newest: '21.6.1',
    ranges: { '^18': '18.19.0', '20.x': '20.11.0' },
    series: { '20.11.0-alpine3.19': '20.11.1-alpine3.19', '20.11.0-alpine3.18': '20.11.0-alpine3.18' },
  },
  {
    like: 'python',
    tags: '3.11 3.11.7 3.12.1 3.12.1-slim-bookworm 3.12.2-slim-bookworm 3.12.2 3.13-rc 3.13.0a3 3.13.0b1 3.13.0rc1-slim latest slim',
    newest: '3.12.2',
    ranges: { '>=3.13.0a1': '3.13-rc', '>=3.13.0a1 <3.13.0rc': '3.13.0b1' },
    series: { '3.12.1-slim-bookworm': '3.12.2-slim-bookworm' },
  },
  {
    like: 'golang',
    tags: '1 1.21 1.21.6 1.21.6-alpine3.19 1.22rc1 1.22rc2-alpine3.19 1.22.0 1.22.0-alpine3.19 tip latest',
    newest: '1.22.0',
    series: { '1.21.6-alpine3.19': '1.22.0-alpine3.19' },
  },
  {
    like: 'postgres',
    tags: '12 15 15.5 16 16.1 16.1-alpine3.18 16.1-alpine3.19 17beta1 17rc1 alpine bookworm latest',
    newest: '16.1',
    ranges: { '<16': '15.5' },
  },
  {
    like: 'postgis',
    tags: '15-3.3 15-3.4 16-3.4 16-3.4-alpine 17-3.4 latest master',
    newest: '17-3.4',
    series: { '15-3.3': '15-3.3', '15-3.4': '17-3.4' },
  },
  {
    like: 'redis',
    tags: '6 6.2.14 7 7.2 7.2.4 7.2.4-bookworm 7.4-rc1 7.4-rc2-alpine 8.0-M01 latest',
    newest: '7.2.4',
    ranges: { '~6.2': '6.2.14' },
  },
  {
    like: 'eclipse-temurin',
    tags: '8 8u402-b06-jdk 17.0.9_9-jre 17.0.10_7-jre 21 21-jre 21.0.1_12-jre 21.0.2_13-jre 21.0.2_13-jdk-alpine latest',
    newest: '21',
    series: { '17.0.9_9-jre': '21.0.2_13-jre' },
  },
  {
    like: 'openjdk',
    tags: '22-ea-36-jdk 23-ea-4-jdk-slim 23-ea-17-jdk-slim 23-ea-17-jdk 21 21-slim latest',
    newest: '21',
  },
  {
    like: 'minio',
    tags: 'RELEASE.2024-01-16T16-07-38Z RELEASE.2024-02-04T22-36-13Z RELEASE.2024-02-04T20-36-13Z RELEASE.2024-01-16T16-07-38Z.fips latest',
    newest: 'RELEASE.2024-02-04T22-36-13Z',
  },
  {
    like: 'pause and the images of Kubernetes',
    tags: `v1.28.0 v1.29.0 v1.29.1 v1.30.0-alpha.0 v1.30.0-rc.1 v1.29.1-amd64 sha256-${'0a'.repeat(32)}.sig latest`,
    newest: 'v1.29.1',
    ranges: { '1.28': 'v1.28.0', '>=1.30.0-alpha.0': 'v1.30.0-rc.1' },
  },
  {
    like: 'grafana',
    tags: '9.5.15 10.2.3 10.2.3-ubuntu 10.3.1 10.3.1-ubuntu 10.4.0-155386 main main-ubuntu latest dev-preview',
    newest: '10.3.1',
    series: { '10.2.3-ubuntu': '10.3.1-ubuntu' },
  },
  {
    like: 'elasticsearch',
    tags: '7.17.16 8.11.4 8.12.0 8.13.0-SNAPSHOT 8.12.0-amd64 8.0.0-alpha2 8.0.0-rc1',
    newest: '8.12.0',
    ranges: { '^7': '7.17.16' },
  },
  {
    like: 'a Windows base image',
    tags: 'ltsc2019 ltsc2022 10.0.17763.5329 10.0.20348.2227 10.0.20348.2227-amd64 10.0.20348.2322 1809',
    newest: '1809',
    ranges: { '10.0.20348': '10.0.20348.2322', '~10.0.17763.1': '10.0.17763.5329' },
  },
  {
    like: 'an image of Bitnami',
    tags: '1.2.3 1.2.3-debian-11-r80 1.2.3-debian-12-r2 1.2.3-debian-12-r10 1.2.4 1.2.4-debian-12-r0 latest',
    newest: '1.2.4',
    series: { '1.2.3-debian-12-r2': '1.2.4-debian-12-r0', '1.2.3-debian-11-r80': '1.2.3-debian-11-r80' },
  },
  {
    like: 'an image of LinuxServer',
    tags: '1.40.0 1.40.0-ls9 1.40.1-ls10 version-1.40.0 version-1.40.1 amd64-1.40.1-ls10 1.40.1 develop latest',
    newest: '1.40.1',
    series: { '1.40.0-ls9': '1.40.1-ls10', 'version-1.40.0': 'version-1.40.1' },
  },
  {
    like: 'gitlab-ce',
    tags: '16.6.1-ce.0 16.7.4-ce.0 16.8.1-ce.0 16.10.0-rc42-ce.0 rc nightly latest',
    newest: '16.8.1-ce.0',
    ranges: { '<16.8': '16.7.4-ce.0' },
  },
  {
    like: 'k3s',
    tags: 'v1.28.5-k3s1 v1.29.0-k3s1 v1.29.0-k3s2 v1.29.1-rc1-k3s1 v1.29.0-k3s1-amd64 latest',
    newest: 'v1.29.0-k3s2',
  },
  {
    like: 'an application built at every push',
    tags: 'main main-0a1b2c3 main-9f8e7d6 sha-0a1b2c3 sha-1234567 pr-7 pr-12 0a1b2c3d4e 1699999999 v0.9.0 v0.10.0 1.0.0-5-g0a1b2c3 latest',
    newest: 'v0.10.0',
  },
  {
    like: 'a service with the days of its builds',
    tags: '2024-01-15 2024-02-01 2024-02-01.2 2023-12-31 latest',
    newest: '2024-02-01.2',
  },
];

/** As `larder latest` chooses: prereleases only in a range that names one. */
function newestOf(tags: readonly string[], range?: string): string | undefined {
  const main = new NewestOfMainSeries();
  for (const version of versionsOf(tags)) {
    const isChosen =
      range === undefined ? version.prerelease === undefined : isInRange(version, parseVersionRange(range));
    if (isChosen) main.add(version);
  }
  return main.newest()?.tag;
}

function newestLike(tag: string, tags: readonly string[]): string | undefined {
  const newest = new NewestVersions(1);
  const series = parseVersion(tag)?.series;
  for (const version of versionsOf(tags)) if (version.series === series) newest.add(version);
  return newest.newest()[0]?.tag;
}

function versionsOf(tags: readonly string[]): readonly Version[] {
  return tags.flatMap((tag) => parseVersion(tag) ?? []);
}

describe.each(CASES)('a repository like $like', ({ tags: text, newest, ranges = {}, series = {} }) => {
  const tags = text.split(' ');

  test(`has ${newest} as its newest tag, in whatever order they are listed`, () => {
    expect(newestOf(tags)).toBe(newest);
    expect(newestOf(tags.toReversed())).toBe(newest);
  });

  test('has a newest tag in a range', () => {
    for (const [range, expected] of Object.entries(ranges))
      expect([range, newestOf(tags, range)]).toEqual([range, expected]);
  });

  test('has a newest tag of each series', () => {
    for (const [tag, expected] of Object.entries(series))
      expect([tag, newestLike(tag, tags)]).toEqual([tag, expected]);
  });
});

test('the newest of many are kept, and not all', () => {
  const newest = new NewestVersions(3);
  for (let i = 0; i < 1000; i += 1) newest.add(versionsOf([`1.${(i * 7) % 1000}`])[0] as Version);
  expect(newest.newest().map(({ tag }) => tag)).toEqual(['1.999', '1.998', '1.997']);
});
