import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pullClosure, type PulledClosure } from '../../../src/operator/closure/pull-closure.ts';
import { PulledParts, type PartProgress } from '../../../src/operator/closure/pulled-parts.ts';
import type { PlatformChoice } from '../../../src/operator/closure/chosen-platforms.ts';
import { digestHex, type Digest } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { parseRepositoryName } from '../../../src/oci/repository-name.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { cutAfter, instead, status } from '../../support/scripted-reply.ts';

const SHARED = randomBytes(300_000);
const REPOSITORY = 'acme/app';
let registry: FakeRegistry;
let mirror: MirrorFixture;

beforeEach(async () => {
  registry = await startFakeRegistry();
  mirror = await startMirror({ upstreams: [{ name: 'ghcr.io', registry }] });
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

/** An image with a layer of its own and one that all have. */
function putImage(architecture: string, tag?: string): StoredImage {
  return registry.putImage(REPOSITORY, tag, {
    config: { architecture, os: 'linux', rootfs: {} },
    layers: [SHARED, randomBytes(100_000)],
  });
}

function putIndex(): { readonly amd64: StoredImage; readonly arm64: StoredImage; readonly digest: Digest } {
  const [amd64, arm64] = [putImage('amd64'), putImage('arm64')];
  const described = (image: StoredImage, architecture: string) => ({
    ...image.descriptor,
    platform: { os: 'linux', architecture },
  });
  const { digest } = registry.putIndex(REPOSITORY, '1', [
    described(amd64, 'amd64'),
    described(arm64, 'arm64'),
  ]);
  return { amd64, arm64, digest };
}

function digestsOf({ digest, config, layers }: StoredImage): readonly Digest[] {
  return [digest, config.digest, ...layers.map((layer) => layer.digest)];
}

interface Wanted {
  readonly reference?: string;
  readonly platforms?: PlatformChoice;
  readonly referrers?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PartProgress) => void;
}

function pull(wanted: Wanted = {}): Promise<PulledClosure> {
  const { reference = '1', platforms, referrers = false } = wanted;
  const repository = mirror.repository({
    registry: 'ghcr.io',
    repository: parseRepositoryName(REPOSITORY),
  });
  return pullClosure(
    { repository, reference: parseReference(reference), platforms, referrers, sparesQuota: false },
    {
      parts: new PulledParts(wanted.onProgress ?? (() => {})),
      limit: pLimit(4),
      isStored: async (digest) => (await mirror.store.stat(digest)) !== undefined,
      signal: wanted.signal ?? new AbortController().signal,
      endRun: (error) => expect.fail(String(error)),
    },
  );
}

function sorted(digests: Iterable<Digest>): readonly Digest[] {
  return [...new Set(digests)].sort();
}

function partsOf({ parts }: PulledClosure): readonly Digest[] {
  return sorted(parts.map(({ digest }) => digest));
}

it('pulls an index with all its images, each digest once', async () => {
  const { amd64, arm64, digest } = putIndex();
  const closure = await pull();
  expect(closure).toMatchObject({ digest, failures: [] });
  expect(partsOf(closure)).toEqual(sorted([digest, ...digestsOf(amd64), ...digestsOf(arm64)]));
  for (const part of closure.parts) {
    expect(registry.count({ method: 'GET', digest: part.digest, kind: 'blob' })).toBeLessThanOrEqual(1);
    expect((await mirror.store.stat(part.digest))?.size).toBe(part.size);
  }
  const asked = registry.requests.length;
  expect(partsOf(await pull())).toEqual(partsOf(closure));
  expect(registry.requests.length).toBe(asked);
});

it('pulls the chosen platform alone, and names one that is not there', async () => {
  const { arm64, digest } = putIndex();
  const platforms = ['arm64', 's390x'].map((architecture) => ({ os: 'linux', architecture }));
  const closure = await pull({ platforms });
  expect(partsOf(closure)).toEqual(sorted([digest, ...digestsOf(arm64)]));
  expect(closure.failures).toEqual([{ digest, reason: 'the index has no image for linux/s390x' }]);
});

it('tells how far each blob has come', async () => {
  const { layers } = putImage('amd64', '1');
  const done = new Map<Digest, number>();
  await pull({ onProgress: (progress) => done.set(progress.digest, progress.done) });
  for (const { digest, size } of layers) expect(done.get(digest)).toBe(size);
});

it('goes on beside a part that fails, names it, and the next attempt fetches that part alone', async () => {
  const image = putImage('amd64', '1');
  const [, bad] = image.layers;
  if (bad === undefined) throw new Error('there is no second layer');
  const mended = registry.fault({ digest: bad.digest }, instead(status(404)));
  const closure = await pull();
  expect(partsOf(closure)).toEqual(sorted(digestsOf(image).filter((digest) => digest !== bad.digest)));
  expect(closure.failures).toEqual([
    { digest: bad.digest, reason: expect.stringContaining('ghcr.io') as string },
  ]);
  mended();
  mirror.clock.advance(60_000);
  const asked = registry.count({ kind: 'blob', method: 'GET' });
  expect(partsOf(await pull())).toEqual(sorted(digestsOf(image)));
  expect(registry.count({ kind: 'blob', method: 'GET' })).toBe(asked + 1);
});

it('says why a reference stands for nothing', async () => {
  putImage('amd64', '1');
  const closure = await pull({ reference: 'no-such-tag' });
  expect(closure).toMatchObject({ digest: undefined, parts: [], failures: [{ digest: undefined }] });
});

it('pulls what is about an image: referrers by the API, and signatures by cosign’s tags', async () => {
  const image = putImage('amd64', '1');
  const sbom = registry.putImage(REPOSITORY, undefined, {
    layers: [Buffer.from('an SBOM')],
    subject: image.descriptor,
    artifactType: 'application/spdx+json',
  });
  const signature = registry.putImage(REPOSITORY, `sha256-${digestHex(image.digest)}.sig`, {
    layers: [Buffer.from('a signature')],
  });
  expect(partsOf(await pull())).toEqual(sorted(digestsOf(image)));
  const closure = await pull({ referrers: true });
  expect(closure.failures).toEqual([]);
  expect(partsOf(closure)).toEqual(sorted([image, sbom, signature].flatMap(digestsOf)));
});

it('pulls referrers of the tag schema, and survives manifests that refer to each other', async () => {
  await registry[Symbol.asyncDispose]();
  await mirror[Symbol.asyncDispose]();
  registry = await startFakeRegistry({ referrers: false });
  mirror = await startMirror({ upstreams: [{ name: 'ghcr.io', registry }] });
  const image = putImage('amd64', '1');
  const sbom = registry.putImage(REPOSITORY, undefined, { subject: image.descriptor });
  registry.putIndex(REPOSITORY, `sha256-${digestHex(image.digest)}`, [sbom.descriptor]);
  registry.putIndex(REPOSITORY, `sha256-${digestHex(sbom.digest)}`, [image.descriptor]);
  const closure = await pull({ referrers: true });
  expect(closure.failures).toEqual([]);
  expect(partsOf(closure)).toEqual(sorted([image, sbom].flatMap(digestsOf)));
});

it('ends when it is told to, in the middle of a blob', async () => {
  const image = putImage('amd64', '1');
  const aborting = new AbortController();
  registry.fault({ digest: image.layers[0]?.digest ?? image.digest, times: 1 }, cutAfter(100_000));
  const pulling = pull({ signal: aborting.signal, onProgress: () => aborting.abort(new Error('enough')) });
  await expect(pulling).rejects.toThrow('enough');
});
