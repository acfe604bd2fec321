import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import type { BlobStore } from '../../../src/store/blob-store.ts';
import { StoreError } from '../../../src/store/error.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { get, type ReceivedAnswer, type RequestOptions } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { publishingAfter } from '../../support/publishing-after.ts';
import { chunked } from '../../support/scripted-reply.ts';

const CONTENT = randomBytes(1024 * 1024 + 12_345);
const DIGEST = digestOf(CONTENT);
const PATH = `/v2/acme/app/blobs/${DIGEST}`;
const FAILURE = new StoreError('sync a blob', { code: 'EIO' });

/** Larder with a store that publishes verified bytes when the test says so. */
class World implements AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly gate: PromiseWithResolvers<void>;

  private constructor(registry: FakeRegistry, mirror: MirrorFixture, gate: PromiseWithResolvers<void>) {
    this.registry = registry;
    this.mirror = mirror;
    this.gate = gate;
  }

  static async start(): Promise<World> {
    const registry = await startFakeRegistry();
    registry.putBlob('acme/app', CONTENT);
    const gate = Promise.withResolvers<void>();
    gate.promise.catch(() => {});
    const upstreams = [{ name: 'registry.test', registry }];
    const wrapStore = (store: BlobStore): BlobStore => publishingAfter(gate.promise, store);
    return new World(registry, await startMirror({ upstreams, wrapStore }), gate);
  }

  /** Does not wait until the blob is stored. */
  get(asked?: RequestOptions): Promise<ReceivedAnswer> {
    return get(this.mirror.url, PATH, asked);
  }

  get requests(): number {
    return this.registry.count({ kind: 'blob' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gate.resolve();
    await this.mirror[Symbol.asyncDispose]();
    await this.registry[Symbol.asyncDispose]();
  }
}

test.each([
  ['known', (reply: Parameters<ReturnType<typeof chunked>>[0]) => reply],
  ['unknown', chunked()],
])('a client has a blob of %s length before it is stored, and so has the next one', async (_, change) => {
  await using world = await World.start();
  world.registry.fault({ kind: 'blob' }, change);
  const [first, second] = [await world.get(), await world.get()];
  for (const { status, complete, body } of [first, second]) {
    expect([status, complete, body.equals(CONTENT)]).toEqual([200, true, true]);
  }
  expect(first.headers['cache-status']).toBe('larder; fwd=uri-miss; stored');
  expect(second.headers['cache-status']).toBe('larder; fwd=uri-miss; stored; collapsed');
  expect(second.headers['content-length']).toBe(String(CONTENT.length));
  const head = await world.get({ method: 'HEAD' });
  expect([head.status, head.headers['content-length']]).toEqual([200, String(CONTENT.length)]);
  expect([await world.mirror.files('blobs/sha256'), world.requests]).toEqual([[], 1]);

  world.gate.resolve();
  await world.mirror.published();
  const third = await world.get();
  expect([third.headers['cache-status'], third.body.equals(CONTENT), world.requests]).toEqual([
    'larder; hit',
    true,
    1,
  ]);
});

test('parts of a blob that is being stored come from its file', async () => {
  await using world = await World.start();
  await world.get();
  const last = await world.get({ headers: { range: 'bytes=-100000' } });
  expect([last.status, last.body.equals(CONTENT.subarray(-100_000))]).toEqual([206, true]);
  const several = await world.get({ headers: { range: 'bytes=5-9,1000000-' } });
  expect([several.status, several.complete]).toEqual([206, true]);
  expect(several.body.includes(CONTENT.subarray(1_000_000))).toBe(true);
  expect(world.requests).toBe(1);
});

test('a blob that cannot be stored was served rightly, and is fetched again', async () => {
  await using world = await World.start();
  const [first, second] = [await world.get(), await world.get()];
  world.gate.reject(FAILURE);
  await world.mirror.published();
  const third = await world.get();
  for (const { complete, body } of [first, second, third]) {
    expect([complete, body.equals(CONTENT)]).toEqual([true, true]);
  }
  expect(third.headers['cache-status']).toContain('fwd=uri-miss');
  expect([await world.mirror.files('blobs/sha256'), await world.mirror.files('ingest')]).toEqual([[], []]);
  expect(world.requests).toBe(2);
  expect(world.mirror.events).toContainEqual({ kind: 'store-failed', operation: 'fill', error: FAILURE });
});

test('closing waits until the blob is stored', async () => {
  await using world = await World.start();
  await world.get();
  const closing = world.mirror.mirror.close();
  expect(await world.mirror.files('blobs/sha256')).toEqual([]);
  world.gate.resolve();
  await closing;
  expect(await world.mirror.files('blobs/sha256')).toEqual([DIGEST.slice('sha256:'.length)]);
  expect(await world.mirror.index.blob(DIGEST)).toMatchObject({ size: CONTENT.length });
});
