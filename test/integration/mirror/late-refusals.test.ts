/** A refusal that arrives after upstream has shown that there is what it refuses. */
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry, type RequestFilter } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { instead, neverRespond, registryError } from '../../support/scripted-reply.ts';

const TAG_PATH = '/v2/acme/app/manifests/latest';
const LAYER = Buffer.from('a layer');
const BLOB_PATH = `/v2/acme/app/blobs/${digestOf(LAYER)}`;

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start({ isOpen = false, negativeTtlMs = 30_000 } = {}): Promise<World> {
  const registry = await startFakeRegistry();
  const mirror = await startMirror({
    upstreams: [{ name: 'registry.test', registry, isOpen }],
    negativeTtlMs,
  });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** The status of a question that upstream refuses, though not before `proof` has been given. */
async function refusedLate(
  { registry }: World,
  where: RequestFilter,
  ask: () => Promise<{ readonly status: number }>,
  proof: () => Promise<{ readonly status: number }>,
): Promise<number> {
  const stalled = neverRespond();
  const end = registry.fault(where, instead(registryError(404, 'MANIFEST_UNKNOWN')), stalled);
  const pending = ask();
  await stalled.reached;
  expect((await proof()).status).toBe(200);
  stalled.release();
  const { status } = await pending;
  end();
  return status;
}

test('of a manifest, after a tag was shown to stand for it: the next question is asked', async () => {
  await using world = await start();
  const { mirror, registry } = world;
  const { digest } = registry.putImage('acme/app', 'latest');
  const ask = () => mirror.get(`/v2/acme/app/manifests/${digest}`);
  expect(await refusedLate(world, { reference: digest }, ask, () => mirror.head(TAG_PATH))).toBe(404);
  expect((await ask()).status).toBe(200);
});

test('of a manifest, and said again to a question that was asked after the proof: remembered', async () => {
  await using world = await start();
  const { mirror, registry } = world;
  const { digest } = registry.putImage('acme/app', 'latest');
  const where = { reference: digest };
  const ask = () => mirror.get(`/v2/acme/app/manifests/${digest}`);
  await refusedLate(world, where, ask, () => mirror.head(TAG_PATH));
  const end = registry.fault(where, instead(registryError(404, 'MANIFEST_UNKNOWN')));
  expect((await ask()).status).toBe(404);
  end();
  expect((await ask()).status).toBe(404);
});

test.each(['get', 'head'] as const)(
  'of a layer, by %s, after a manifest was given that names it',
  async (method) => {
    await using world = await start();
    const { mirror, registry } = world;
    registry.putImage('acme/app', 'latest', { layers: [LAYER] });
    const ask = () => mirror[method](BLOB_PATH);
    expect(await refusedLate(world, { kind: 'blob' }, ask, () => mirror.get(TAG_PATH))).toBe(404);
    expect((await ask()).status).toBe(200);
  },
);

test('of a layer that is here through another repository', async () => {
  await using world = await start();
  const { mirror, registry } = world;
  registry.putImage('acme/other', 'latest', { layers: [LAYER] });
  registry.putImage('acme/app', 'latest', { layers: [LAYER] });
  expect((await mirror.get(`/v2/acme/other/blobs/${digestOf(LAYER)}`)).status).toBe(200);
  const ask = () => mirror.get(BLOB_PATH);
  const where = { kind: 'blob', repository: 'acme/app' } as const;
  expect(await refusedLate(world, where, ask, () => mirror.get(TAG_PATH))).toBe(404);
  expect((await ask()).status).toBe(200);
});

test.each([30_000, 0])(
  'of a layer that is here, after a manifest was given that names it: the claim stays (negativeTtl: %i ms)',
  async (negativeTtlMs) => {
    await using world = await start({ isOpen: true, negativeTtlMs });
    const { mirror, registry } = world;
    registry.putBlob('acme/base', LAYER);
    await mirror.get(BLOB_PATH.replace('app', 'base'));
    registry.putImage('acme/app', 'latest', { layers: [LAYER] });
    await mirror.get(TAG_PATH);
    registry.putImage('acme/app', 'next', { layers: [LAYER], config: { os: 'linux' } });
    const where = { kind: 'blob', repository: 'acme/app' } as const;
    const ask = () => mirror.get(BLOB_PATH);
    const proof = () => mirror.get(TAG_PATH.replace('latest', 'next'));
    expect(await refusedLate(world, where, ask, proof)).toBe(404);
    registry.down();
    const { status, headers } = await ask();
    expect([status, headers.warning]).toEqual([200, expect.stringContaining('without confirmation')]);
  },
);
