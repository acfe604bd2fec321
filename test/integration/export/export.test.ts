import { randomBytes } from 'node:crypto';
import { unpackTar } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobPath } from '../../../src/archive/layout/paths.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import type { ExportRequest, ExportResult } from '../../../src/operator/export/export-images.ts';
import { Exports } from '../../../src/operator/export/exports.ts';
import { readWhole } from '../../../src/store/read-whole.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { instead, status } from '../../support/scripted-reply.ts';

const DAY_MS = 24 * 3_600_000;
const SHARED = randomBytes(100_000);

let registry: FakeRegistry;
let mirror: MirrorFixture;
let exports: Exports;

beforeEach(async () => {
  registry = await startFakeRegistry();
  const upstreams = [{ name: 'ghcr.io', registry, isOpen: true }];
  mirror = await startMirror({ upstreams, marks: { maxSize: 300_000 }, msPerReading: 0 });
  const { repositories, store, index, clock } = mirror;
  exports = new Exports({ repositories, naming, store, index, clock });
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const naming = {
  upstreams: [{ name: 'ghcr.io', aliases: [], addLibrary: false }],
  defaultUpstream: 'ghcr.io',
};

function exportImages(request: ExportRequest): Promise<ExportResult> {
  return exports.run(request, { signal: new AbortController().signal, report: () => {} });
}

/** Returns the files of an exported bundle, by their paths. */
async function filesOf({ bundle, bytes }: ExportResult): Promise<ReadonlyMap<string, Uint8Array>> {
  const reader = exports.open(bundle);
  if (reader === undefined) throw new Error('the bundle is not kept');
  const tar = await readWhole(reader);
  expect(tar.length).toBe(bytes);
  const entries = await unpackTar(tar, { strict: true });
  return new Map(entries.map(({ header, data }) => [header.name, new Uint8Array(data ?? [])]));
}

interface ListedRoot {
  readonly digest: Digest;
  readonly annotations: Readonly<Record<string, string>>;
}

function rootsOf(files: ReadonlyMap<string, Uint8Array>): Readonly<Record<string, Digest>> {
  const index = JSON.parse(new TextDecoder().decode(files.get('index.json'))) as {
    readonly manifests: readonly ListedRoot[];
  };
  const named = index.manifests.map(({ annotations, digest }) => [
    annotations['org.opencontainers.image.ref.name'] ?? `${annotations['larder.referrer.name']} about it`,
    digest,
  ]);
  return Object.fromEntries(named) as Readonly<Record<string, Digest>>;
}

const putImage = (tag: string, repository = 'acme/app'): ReturnType<FakeRegistry['putImage']> =>
  registry.putImage(repository, tag, { layers: [SHARED, randomBytes(20_000)] });

describe('an export', () => {
  it('is a layout of whole images, each file by its digest, named with registry and repository', async () => {
    const [one, two] = [putImage('1'), putImage('2')];
    const result = await exportImages({ references: ['acme/app:1', `ghcr.io/acme/app@${two.digest}`] });
    const files = await filesOf(result);
    expect(rootsOf(files)).toEqual({
      'ghcr.io/acme/app:1': one.digest,
      [`ghcr.io/acme/app@${two.digest}`]: two.digest,
    });
    const digests = [one, two].flatMap((image) => [
      image.digest,
      image.config.digest,
      ...image.layers.map((it) => it.digest),
    ]);
    expect([...files.keys()].toSorted()).toEqual(
      ['index.json', 'oci-layout', ...new Set(digests.map(blobPath))].toSorted(),
    );
    for (const digest of digests)
      expect(digestOf(files.get(blobPath(digest)) ?? new Uint8Array())).toBe(digest);
    expect(result.images).toMatchObject([
      { reference: 'acme/app:1', digest: one.digest, parts: 4 },
      { digest: two.digest, parts: 4 },
    ]);
  });

  it('gives the same bundle again, without asking for what is cached', async () => {
    putImage('1');
    putImage('2');
    const first = await exportImages({ references: ['acme/app:1', 'acme/app:2'] });
    const blobs = registry.count({ kind: 'blob', method: 'GET' });
    const again = await exportImages({ references: ['acme/app:2', 'acme/app:1'] });
    expect(again.bundle).toBe(first.bundle);
    expect(registry.count({ kind: 'blob', method: 'GET' })).toBe(blobs);
  });

  it('of some platforms has the index byte by byte, and only their images', async () => {
    const of = (architecture: string): Descriptor => ({
      ...putImage(architecture).descriptor,
      platform: { os: 'linux', architecture },
    });
    const [amd64, arm64] = [of('amd64'), of('arm64')];
    const list = registry.putIndex('acme/app', 'all', [amd64, arm64]);
    const files = await filesOf(
      await exportImages({ references: ['acme/app:all'], platforms: ['linux/arm64'] }),
    );
    expect(files.get(blobPath(list.digest))).toEqual(new Uint8Array(list.bytes));
    expect(files.has(blobPath(arm64.digest))).toBe(true);
    expect(files.has(blobPath(amd64.digest))).toBe(false);
  });

  it('has the tag that is written beside a digest, even if it has moved since', async () => {
    const image = putImage('1');
    putImage('1');
    const files = await filesOf(await exportImages({ references: [`acme/app:1@${image.digest}`] }));
    expect(rootsOf(files)).toEqual({
      'ghcr.io/acme/app:1': image.digest,
      [`ghcr.io/acme/app@${image.digest}`]: image.digest,
    });
  });

  it('lists the referrers of an image by digest, and its signatures by their tags, if they are wanted', async () => {
    const image = putImage('1');
    const sbom = registry.putImage('acme/app', undefined, {
      artifactType: 'application/sbom',
      layers: [randomBytes(10)],
      subject: image.descriptor,
    });
    const tag = `sha256-${image.digest.slice('sha256:'.length)}.sig`;
    const signature = registry.putImage('acme/app', tag, { layers: [randomBytes(10)] });
    const files = await filesOf(await exportImages({ references: ['acme/app:1'], referrers: true }));
    expect(rootsOf(files)).toEqual({
      'ghcr.io/acme/app:1': image.digest,
      [`ghcr.io/acme/app@${sbom.digest} about it`]: sbom.digest,
      [`ghcr.io/acme/app:${tag} about it`]: signature.digest,
    });
    const index = new TextDecoder().decode(files.get('index.json'));
    expect(index.match(/io.containerd.image.name/g)).toHaveLength(1);
    const bare = await filesOf(await exportImages({ references: ['acme/app:1'] }));
    expect(Object.keys(rootsOf(bare))).toEqual(['ghcr.io/acme/app:1']);
  });

  it('leaves out what the same repository has on the other side, but still names it', async () => {
    const [one, two] = [putImage('1'), putImage('2')];
    const known = {
      'ghcr.io/acme/app': [one.digest, one.config.digest, ...one.layers.map((it) => it.digest)],
    };
    const files = await filesOf(await exportImages({ references: ['acme/app:1', 'acme/app:2'], known }));
    expect(rootsOf(files)).toMatchObject({
      'ghcr.io/acme/app:1': one.digest,
      'ghcr.io/acme/app:2': two.digest,
    });
    const expected = [two.digest, two.layers[1]?.digest ?? two.digest].map(blobPath);
    expect([...files.keys()].toSorted()).toEqual([...expected, 'index.json', 'oci-layout'].toSorted());
  });
});

describe('a part that is evicted before its lease begins', () => {
  /** @param times how often */
  function losing(digest: Digest, times: number): Exports {
    const { repositories, store, index, clock } = mirror;
    let left = times;
    const leaseIndex = {
      leasedOf: (...args: Parameters<typeof index.leasedOf>) => index.leasedOf(...args),
      async lease(...args: Parameters<typeof index.lease>) {
        if (left-- > 0) await store.delete(digest);
        await index.lease(...args);
      },
    };
    return new Exports({ repositories, naming, store, index: leaseIndex, clock });
  }

  const request = { references: ['acme/app:1'] };
  const context = { signal: new AbortController().signal, report: () => {} };

  it('is pulled again', async () => {
    const [layer] = putImage('1').layers;
    exports = losing(layer?.digest ?? digestOf(''), 2);
    const files = await filesOf(await exports.run(request, context));
    expect([...files.keys()]).toContain(blobPath(layer?.digest ?? digestOf('')));
    expect(registry.count({ kind: 'blob', method: 'GET', digest: layer?.digest ?? digestOf('') })).toBe(3);
  });

  it('makes the export fail, if that happens again and again', async () => {
    const [layer] = putImage('1').layers;
    const exporting = losing(layer?.digest ?? digestOf(''), 3).run(request, context);
    await expect(exporting).rejects.toThrow(`no room to keep ${layer?.digest}`);
  });
});

describe('the blobs of an export', () => {
  it('stay for a day while others are evicted, and no longer', async () => {
    const image = putImage('1');
    const { heldUntil } = await exportImages({ references: ['acme/app:1'] });
    expect(heldUntil).toBe(mirror.clock.now() + DAY_MS);
    const isStored = async (): Promise<boolean> =>
      (await mirror.store.stat(image.layers[0]?.digest ?? image.digest)) !== undefined;
    const fill = async (): Promise<void> => {
      for (let count = 0; count < 4; count++) {
        const { layers } = registry.putImage('acme/other', 'latest', { layers: [randomBytes(100_000)] });
        await mirror.get(`/v2/ghcr.io/acme/other/blobs/${layers[0]?.digest}`);
        mirror.evictor.wake();
        await mirror.evictor.idle();
        mirror.clock.advance(1_000);
      }
    };
    await fill();
    expect(await isStored()).toBe(true);
    mirror.clock.advance(DAY_MS);
    await fill();
    await fill();
    expect(await isStored()).toBe(false);
  });
});

it('fails if an image is not whole, and says what is missing', async () => {
  const image = putImage('1');
  const [layer] = image.layers;
  registry.fault({ digest: layer?.digest ?? image.digest }, instead(status(404)));
  await expect(exportImages({ references: ['acme/app:1'] })).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringMatching(new RegExp(`acme/app:1 is not whole\\n${layer?.digest}: `)) as string,
  });
});

it('keeps the last four bundles', async () => {
  const results: ExportResult[] = [];
  for (const tag of ['1', '2', '3', '4', '5']) {
    registry.putImage('acme/app', tag, { layers: [randomBytes(100)] });
    results.push(await exportImages({ references: [`acme/app:${tag}`] }));
  }
  expect(results.map(({ bundle }) => exports.open(bundle) !== undefined)).toEqual([
    false,
    true,
    true,
    true,
    true,
  ]);
});
