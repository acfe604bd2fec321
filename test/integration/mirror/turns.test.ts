/** One upstream gives only so many blobs at the same time: who gets them, and who has to let them go. */
import { randomBytes } from 'node:crypto';
import { Agent, type IncomingMessage } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { chunked, neverRespond, stallAfter, type Fault, type Stall } from '../../support/scripted-reply.ts';

/** What the fixture guards. */
const CONNECTIONS = 64;
/** Of these, for blobs. */
const TURNS = 48;
const KiB = 1024;
const PART = { headers: { range: 'bytes=0-0' } };

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(): Promise<World> {
  const registry = await startFakeRegistry();
  const client = { connections: CONNECTIONS };
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry, client }] });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

interface Slow {
  readonly digest: Digest;
  readonly content: Buffer;
  readonly path: string;
  readonly stall: Stall;
}

/** A blob of which upstream sends the beginning, and then waits. */
function slowBlob({ registry }: World, ...faults: Fault[]): Slow {
  const content = randomBytes(200 * KiB);
  const { digest } = registry.putBlob('acme/app', content);
  const stall = stallAfter(100);
  registry.fault({ kind: 'blob', digest }, ...faults, stall);
  return { digest, content, path: `/v2/acme/app/blobs/${digest}`, stall };
}

function manySlowBlobs(world: World): Slow[] {
  return Array.from({ length: TURNS }, () => slowBlob(world));
}

/** Another machine, as far as the mirror can tell. */
function elsewhere(address: string): Agent {
  const agent = new Agent({ localAddress: address, keepAlive: false });
  onTestFinished(() => agent.destroy());
  return agent;
}

async function expectPulled({ registry, mirror }: World, agent?: Agent): Promise<void> {
  const content = randomBytes(100 * KiB);
  const { digest } = registry.putBlob('acme/app', content);
  const answer = await mirror.get(`/v2/acme/app/blobs/${digest}`, { ...(agent !== undefined && { agent }) });
  expect([answer.status, answer.body.equals(content)]).toEqual([200, true]);
}

async function leaveAll({ mirror }: World, blobs: readonly Slow[]): Promise<void> {
  await expect.poll(() => blobs.every(({ digest }) => mirror.fill(digest)?.followers === 0)).toBe(true);
}

describe('fills that no client follows', () => {
  test('leave their turns to another client: 48 of them were asked for one byte each', async () => {
    await using world = await start();
    const blobs = manySlowBlobs(world);
    for (const { path } of blobs) expect((await world.mirror.get(path, PART)).status).toBe(206);
    await leaveAll(world, blobs);
    await expectPulled(world, elsewhere('127.0.0.2'));
    await expectPulled(world);
    for (const { stall } of blobs) stall.release();
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
  });

  test('whose client comes back get a turn again, and go on where they were', async () => {
    await using world = await start();
    const blobs = manySlowBlobs(world);
    for (const { path } of blobs) await world.mirror.get(path, PART);
    await leaveAll(world, blobs);
    await expectPulled(world);
    const yielded = world.mirror.events.length;
    expect(yielded).toBeGreaterThan(0);
    const asked = (digest: Digest): number => world.registry.count({ kind: 'blob', digest });
    // Those that had to yield ask again as soon as there is a turn.
    await expect.poll(() => blobs.filter(({ digest }) => asked(digest) > 1).length).toBeGreaterThan(0);
    for (const { stall } of blobs) stall.release();
    for (const { path, content } of blobs) {
      expect((await world.mirror.get(path)).body.equals(content)).toBe(true);
    }
  });
});

test('one client does not hold all turns, however long it stays', async () => {
  await using world = await start();
  const blobs = manySlowBlobs(world);
  const incoming: Promise<IncomingMessage>[] = blobs.map(({ path }) => world.mirror.open(path));
  await expect.poll(() => world.mirror.mirror.fills.size).toBe(TURNS);
  await expect.poll(() => world.registry.count({ kind: 'blob' })).toBe((TURNS * 3) / 4);
  await expectPulled(world, elsewhere('127.0.0.2'));
  expect(world.registry.count({ kind: 'blob' })).toBe((TURNS * 3) / 4 + 1);
  for (const { stall } of blobs) stall.release();
  for (const answer of await Promise.all(incoming)) answer.destroy();
  await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
});

test('questions about blobs that are not answered leave turns to blobs, tags and manifests', async () => {
  await using world = await start();
  const silent = neverRespond();
  world.registry.fault({ kind: 'blob', method: 'HEAD' }, silent);
  const { digest } = world.registry.putImage('acme/app', 'latest');
  const heads = Array.from({ length: 100 }, (_, count) => {
    const { digest } = world.registry.putBlob('acme/app', Buffer.from(`blob ${count}`));
    return world.mirror.head(`/v2/acme/app/blobs/${digest}`);
  });
  await silent.reached;
  await expectPulled(world, elsewhere('127.0.0.2'));
  expect((await world.mirror.head('/v2/acme/app/manifests/latest')).headers['docker-content-digest']).toBe(
    digest,
  );
  silent.release();
  for (const { status } of await Promise.all(heads)) expect(status).toBe(200);
});

describe('a fill of unknown length that was asked for a part, and that no client follows', () => {
  async function readOnce(world: World): Promise<Slow> {
    const slow = slowBlob(world, chunked());
    const incoming = await world.mirror.open(slow.path, PART);
    incoming.destroy();
    await expect.poll(() => world.mirror.fill(slow.digest)?.followers).toBe(0);
    return slow;
  }

  test('is waited with for a minute, and then given up', async () => {
    await using world = await start();
    const { digest, stall } = await readOnce(world);
    world.mirror.clock.advance(4_000);
    stall.allow(1);
    await expect.poll(() => world.mirror.fill(digest)?.offset).toBe(101);
    for (let seconds = 4; seconds < 56; seconds += 4) {
      const before = world.mirror.fill(digest)?.offset ?? 0;
      world.mirror.clock.advance(4_000);
      stall.allow(1);
      await expect.poll(() => world.mirror.fill(digest)?.offset).toBeGreaterThan(before);
    }
    world.mirror.clock.advance(4_000);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
    stall.release();
  });

  test('is waited with again after each request for a part', async () => {
    await using world = await start();
    const { digest, path, stall } = await readOnce(world);
    const fill = world.mirror.fill(digest);
    for (let seconds = 0; seconds < 120; seconds += 4) {
      const before = world.mirror.fill(digest)?.offset ?? 0;
      world.mirror.clock.advance(4_000);
      stall.allow(1);
      await expect.poll(() => world.mirror.fill(digest)?.offset).toBeGreaterThan(before);
      if (seconds % 40 !== 36) continue;
      (await world.mirror.open(path, PART)).destroy();
      await expect.poll(() => world.mirror.fill(digest)?.followers).toBe(0);
    }
    expect(world.mirror.fill(digest)).toBe(fill);
    stall.release();
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
  });
});

test('questions of one client that are not answered leave turns to another client', async () => {
  await using world = await start();
  const silent = neverRespond();
  world.registry.fault({ kind: 'blob', repository: 'acme/silent' }, silent);
  const asked = Array.from({ length: 20 }, () => {
    return world.mirror.head(`/v2/acme/silent/blobs/${digestOf(randomBytes(32))}`);
  });
  await expect
    .poll(() => world.registry.count({ kind: 'blob', repository: 'acme/silent' }))
    .toBeGreaterThanOrEqual(6);
  const content = randomBytes(KiB);
  const { digest } = world.registry.putBlob('acme/app', content);
  // The clock stands still: this client is not refused, it just waits.
  const agent = elsewhere('127.0.0.2');
  const { status } = await world.mirror.head(`/v2/acme/app/blobs/${digest}`, { agent });
  expect([status, world.registry.count({ kind: 'blob', repository: 'acme/silent' })]).toEqual([200, 6]);
  silent.release();
  await Promise.all(asked);
});
