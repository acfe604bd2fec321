import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobProgress } from '../../../src/index/job-index.ts';
import { warmJob, type WarmRequest, type WarmResult } from '../../../src/operator/warm/warm-job.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { instead, status } from '../../support/scripted-reply.ts';

const SHARED = randomBytes(200_000);
let hub: FakeRegistry;
let ghcr: FakeRegistry;
let mirror: MirrorFixture;
let progress: JobProgress[];

beforeEach(async () => {
  [hub, ghcr] = await Promise.all([startFakeRegistry(), startFakeRegistry()]);
  const upstreams = [
    { name: 'docker.io', registry: hub, addLibrary: true },
    { name: 'ghcr.io', registry: ghcr, isAllowed: (name: string) => !name.startsWith('secret/') },
  ];
  mirror = await startMirror({ upstreams });
  progress = [];
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
  await ghcr[Symbol.asyncDispose]();
});

function putImage(
  registry: FakeRegistry,
  repository: string,
  tag: string,
): ReturnType<FakeRegistry['putImage']> {
  return registry.putImage(repository, tag, { layers: [SHARED, randomBytes(50_000)] });
}

function warm(request: WarmRequest): Promise<WarmResult> {
  const naming = {
    upstreams: [
      { name: 'docker.io', aliases: ['index.docker.io'], addLibrary: true },
      { name: 'ghcr.io', aliases: [], addLibrary: false },
    ],
    defaultUpstream: 'docker.io',
  };
  const work = warmJob({ repositories: mirror.repositories, naming, store: mirror.store });
  return work(request, {
    signal: new AbortController().signal,
    report: (reported) => progress.push(reported),
  });
}

it('pulls images of several registries, so that clients get them with all upstreams down', async () => {
  const debian = putImage(hub, 'library/debian', 'latest');
  const app = putImage(ghcr, 'acme/app', '1');
  const result = await warm({ references: ['debian', `ghcr.io/acme/app@${app.digest}`] });
  expect(result).toMatchObject({
    failed: 0,
    images: [
      { reference: 'debian', digest: debian.digest, parts: 4, failures: [] },
      { digest: app.digest, parts: 4, failures: [] },
    ],
  });
  hub.down();
  ghcr.down();
  for (const [path, image] of [
    ['/v2/library/debian', debian],
    ['/v2/ghcr.io/acme/app', app],
  ] as const) {
    expect((await mirror.get(`${path}/manifests/${image.digest}`)).status).toBe(200);
    for (const { digest } of [image.config, ...image.layers])
      expect((await mirror.get(`${path}/blobs/${digest}`)).status).toBe(200);
  }
});

it('fetches what images share once, and nothing that is there', async () => {
  putImage(ghcr, 'acme/app', '1');
  putImage(ghcr, 'acme/app', '2');
  const references = ['ghcr.io/acme/app:1', 'ghcr.io/acme/app:2', 'ghcr.io/acme/app:1'];
  expect((await warm({ references })).images).toHaveLength(2);
  // Two layers of their own, one that they share, and one config, which is the same.
  expect(ghcr.count({ kind: 'blob', method: 'GET' })).toBe(4);
  await warm({ references });
  expect(ghcr.count({ kind: 'blob', method: 'GET' })).toBe(4);
});

it('tells how far it has come, in bytes that never exceed their total', async () => {
  putImage(ghcr, 'acme/app', '1');
  putImage(ghcr, 'acme/app', '2');
  await warm({ references: ['ghcr.io/acme/app:1', 'ghcr.io/acme/app:2'] });
  for (const { done, total = 0, parts = [] } of progress) {
    expect(done).toBeLessThanOrEqual(total);
    for (const part of parts) expect(part.done).toBeLessThan(part.total);
  }
  const last = progress.at(-1);
  expect(last).toMatchObject({ unit: 'bytes', note: '2 of 2 images', parts: [] });
  expect(last?.done).toBe(last?.total);
  expect(last?.done).toBeGreaterThan(300_000);
});

it('says which image is not whole and why, and has the others', async () => {
  const broken = putImage(ghcr, 'acme/broken', '1');
  putImage(ghcr, 'acme/app', '1');
  ghcr.fault({ digest: broken.layers[1]?.digest ?? broken.digest }, instead(status(404)));
  const result = await warm({
    references: ['ghcr.io/acme/broken:1', 'ghcr.io/acme/app:1', 'ghcr.io/acme/app:no-such-tag'],
  });
  expect(result).toMatchObject({
    failed: 2,
    images: [
      { digest: broken.digest, parts: 3, failures: [{ digest: broken.layers[1]?.digest }] },
      { parts: 4, failures: [] },
      { digest: undefined, parts: 0, failures: [{ digest: undefined }] },
    ],
  });
});

it('pulls the newest versions in a range of a repository without a tag, and says where there are none', async () => {
  for (const tag of ['1.9', '2.0', '2.1', '2.10', '3.0', 'latest']) putImage(ghcr, 'acme/app', tag);
  putImage(ghcr, 'acme/old', '1');
  const references = ['ghcr.io/acme/app', 'ghcr.io/acme/old', 'ghcr.io/acme/none', 'ghcr.io/acme/app:latest'];
  const result = await warm({ references, tags: { semver: '>=2 <3', latest: 2 } });
  expect(result.images.map(({ reference, parts }) => [reference, parts])).toEqual([
    ['ghcr.io/acme/app:2.10', 4],
    ['ghcr.io/acme/app:2.1', 4],
    ['ghcr.io/acme/app:latest', 4],
    ['ghcr.io/acme/old', 0],
    ['ghcr.io/acme/none', 0],
  ]);
  expect(result.images[3]?.failures[0]?.reason).toBe('ghcr.io/acme/old has no version ">=2 <3"');
  expect(result.failed).toBe(2);
  const wrong = warm({ references, tags: { semver: 'newest' } });
  await expect(wrong).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('is no range') as string,
  });
});

describe('before anything is pulled, it refuses', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  it.each([
    ['what is no reference', ['ghcr.io/acme/app:1', 'Not a reference'], 'Not a reference'],
    ['a digest without a repository', [digest], 'names no repository'],
    ['an upstream that is not configured', ['quay.io/acme/app:1'], 'the configuration serves no quay.io'],
    [
      'a repository that is denied',
      ['ghcr.io/secret/app:1'],
      'the configuration serves no ghcr.io/secret/app:1',
    ],
    ['too many at once', Array.from({ length: 10_001 }, (_, n) => `ghcr.io/a:${n}`), 'at most 10000'],
  ])('%s', async (_, references, message) => {
    putImage(ghcr, 'acme/app', '1');
    await expect(warm({ references })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(message) as string,
    });
    expect(ghcr.requests).toEqual([]);
  });

  it('all mistakes together', async () => {
    const warming = warm({ references: ['a b', 'ghcr.io/acme/app:1', 'c d'] });
    await expect(warming).rejects.toThrow(/a b.*\n.*c d/);
  });

  it('a platform that is none', async () => {
    const warming = warm({ references: ['ghcr.io/acme/app:1'], platforms: ['linux/amd64', 'amd64'] });
    await expect(warming).rejects.toThrow('"amd64" is no platform such as linux/amd64');
  });
});
