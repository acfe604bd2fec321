/** Registries that answer the question about a tag and the one about its digest differently. */
import { describe, expect, test } from 'vitest';
import type { TagPolicy } from '../../../src/mirror/tag-policy.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { MINUTE, startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { instead, neverRespond, registryError, status, withHeaders } from '../../support/scripted-reply.ts';

const PATH = '/v2/acme/app/manifests/latest';
const TTL = 5 * MINUTE;
const UNKNOWN = instead(registryError(404, 'MANIFEST_UNKNOWN'));
const NEW = { layers: [Buffer.from('new')] };

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(tags: Partial<TagPolicy> = {}): Promise<World> {
  const registry = await startFakeRegistry();
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry, tags }] });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** The manifest requests that upstream has had: `HEAD latest`. */
function asked({ registry }: World): string[] {
  return registry.requests
    .filter(({ kind }) => kind === 'manifest')
    .map(({ method, reference }) => `${method} ${reference?.slice(0, 12)}`);
}

function digestIn(answer: { readonly headers: Record<string, unknown> }): unknown {
  return answer.headers['docker-content-digest'];
}

describe('a registry that gives a manifest by its tag, and not by its digest', () => {
  test.each([
    ['says 404', registryError(404, 'MANIFEST_UNKNOWN')],
    ['says 403', registryError(403, 'DENIED')],
    ['says 400', registryError(400, 'DIGEST_INVALID')],
    ['does not do it', registryError(405, 'UNSUPPORTED')],
  ])('cold, where it %s: the tag is asked for, once', async (_, reply) => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    world.registry.fault({ method: 'GET', reference: image.digest }, instead(reply));
    const answer = await world.mirror.get(PATH);
    expect([answer.status, digestIn(answer)]).toEqual([200, image.digest]);
    expect(answer.body).toEqual(Buffer.from(image.bytes));
    expect(answer.headers['cache-status']).toBe('larder; fwd=uri-miss; stored');
    expect(asked(world)).toEqual(['HEAD latest', `GET ${image.digest.slice(0, 12)}`, 'GET latest']);
    // By its digest, too, and from the cache.
    expect((await world.mirror.get(`/v2/acme/app/manifests/${image.digest}`)).body).toEqual(
      Buffer.from(image.bytes),
    );
    expect(asked(world)).toHaveLength(3);
  });

  test('a hundred clients at once: the tag is asked for once', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    world.registry.fault({ method: 'GET', reference: image.digest }, UNKNOWN);
    const answers = await Promise.all(Array.from({ length: 100 }, () => world.mirror.get(PATH)));
    expect(new Set(answers.map(digestIn))).toEqual(new Set([image.digest]));
    expect(world.registry.count({ method: 'GET', reference: 'latest' })).toBe(1);
  });

  test('when the tag has moved: the new one is had', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    const moved = world.registry.putImage('acme/app', 'latest', NEW);
    world.registry.fault({ method: 'GET', reference: moved.digest }, UNKNOWN);
    world.mirror.clock.advance(TTL);
    const answer = await world.mirror.get(PATH);
    expect([answer.status, digestIn(answer), answer.headers.warning]).toEqual([200, moved.digest, undefined]);
  });

  test('when the tag is known and the manifest is not here any more', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.head(PATH);
    world.registry.fault({ method: 'GET', reference: image.digest }, UNKNOWN);
    expect(digestIn(await world.mirror.get(PATH))).toBe(image.digest);
    expect(world.registry.count({ method: 'HEAD' })).toBe(1);
  });

  test('and moves it between the two questions: the tag stands for what came', async () => {
    await using world = await start();
    const old = world.registry.putImage('acme/app', 'latest');
    // A cache before the registry goes on to tell the old digest.
    world.registry.fault({ method: 'HEAD' }, withHeaders({ 'docker-content-digest': old.digest }));
    world.registry.fault({ method: 'GET', reference: old.digest }, UNKNOWN);
    const moved = world.registry.putImage('acme/app', 'latest', NEW);
    const answer = await world.mirror.get(PATH);
    expect([digestIn(answer), answer.body]).toEqual([moved.digest, Buffer.from(moved.bytes)]);
    world.mirror.clock.advance(MINUTE);
    const again = await world.mirror.get(PATH);
    expect([digestIn(again), again.headers['cache-status']]).toEqual([
      moved.digest,
      `larder; hit; ttl=${(TTL - MINUTE) / 1000}`,
    ]);
    // The same once more where the tag is checked again: it has not moved back.
    world.mirror.clock.advance(TTL);
    expect(digestIn(await world.mirror.get(PATH))).toBe(moved.digest);
    expect(world.mirror.events.filter(({ kind }) => kind === 'tag-moved')).toEqual([
      expect.objectContaining({ from: old.digest, to: moved.digest }),
    ]);
  });

  test('by a digest of another algorithm: what was sent is verified by that', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    const digest = digestOf(image.bytes, 'sha512');
    world.registry.fault({ kind: 'manifest' }, withHeaders({ 'docker-content-digest': digest }));
    world.registry.fault({ method: 'GET', reference: digest }, UNKNOWN);
    const answer = await world.mirror.get(PATH);
    expect([answer.status, digestIn(answer)]).toEqual([200, digest]);
    expect(await world.mirror.files('blobs/sha512')).toEqual([digest.slice('sha512:'.length)]);
  });

  test('and whose own tag fails: its failure is told', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    world.registry.fault({ method: 'GET', reference: image.digest }, UNKNOWN);
    const end = world.registry.fault({ method: 'GET', reference: 'latest' }, instead(status(500)));
    expect((await world.mirror.get(PATH)).status).toBe(502);
    end();
    expect((await world.mirror.get(PATH)).status).toBe(200);
  });
});

describe('a tag has moved, and the new manifest cannot be had', () => {
  test.each([
    ['drop', registryError(404, 'MANIFEST_UNKNOWN')],
    ['drop', registryError(403, 'DENIED')],
    ['drop', status(500)],
    ['drop', status(200, { body: '<html>', headers: { 'content-type': 'text/html' } })],
    ['keep', registryError(404, 'MANIFEST_UNKNOWN')],
  ] as const)('onDeleted: %s, %j: the old one is served, nothing is dropped', async (onDeleted, reply) => {
    await using world = await start({ onDeleted });
    const old = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    const moved = world.registry.putImage('acme/app', 'latest', NEW);
    const end = world.registry.fault({ kind: 'manifest', method: 'GET' }, instead(reply));
    world.mirror.clock.advance(TTL);
    for (let i = 0; i < 2; i += 1) {
      const answer = await world.mirror.get(PATH);
      expect([answer.status, digestIn(answer)]).toEqual([200, old.digest]);
      expect(answer.headers.warning).toContain('served from the cache without confirmation: registry.test: ');
    }
    world.registry.down();
    expect(digestIn(await world.mirror.get(PATH))).toBe(old.digest);
    world.registry.up();
    // The first question after the trouble is answered right.
    end();
    expect(digestIn(await world.mirror.get(PATH))).toBe(moved.digest);
  });

  test('too old to be served without an answer: an error that is no 404', async () => {
    await using world = await start({ staleForMs: MINUTE });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    const moved = world.registry.putImage('acme/app', 'latest', NEW);
    world.registry.fault({ kind: 'manifest', method: 'GET' }, UNKNOWN);
    world.mirror.clock.advance(TTL + MINUTE);
    const answer = await world.mirror.get(PATH);
    expect([answer.status, answer.body.toString()]).toEqual([502, expect.stringContaining(moved.digest)]);
  });

  test('a refusal of the tag itself is one', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.registry.deleteTag('acme/app', 'latest');
    world.mirror.clock.advance(TTL);
    expect((await world.mirror.get(PATH)).status).toBe(404);
  });
});

describe('what was denied and is proved', () => {
  test('a manifest: a tag that stands for it', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', undefined);
    const path = `/v2/acme/app/manifests/${image.digest}`;
    const end = world.registry.fault({ reference: image.digest }, UNKNOWN);
    expect((await world.mirror.get(path)).status).toBe(404);
    end();
    expect((await world.mirror.get(path)).status).toBe(404);
    world.registry.tag('acme/app', 'latest', image.digest);
    expect((await world.mirror.head(PATH)).status).toBe(200);
    expect((await world.mirror.get(path)).status).toBe(200);
  });

  test('a layer: a manifest that names it', async () => {
    await using world = await start();
    const layer = Buffer.from('a layer');
    const path = `/v2/acme/app/blobs/${digestOf(layer)}`;
    expect((await world.mirror.get(path)).status).toBe(404);
    world.registry.putImage('acme/app', 'latest', { layers: [layer] });
    expect((await world.mirror.get(PATH)).status).toBe(200);
    expect((await world.mirror.get(path)).body).toEqual(layer);
  });

  test('only in its repository', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    const elsewhere = `/v2/acme/other/manifests/${image.digest}`;
    expect((await world.mirror.get(elsewhere)).status).toBe(404);
    await world.mirror.get(PATH);
    const asked = world.registry.count({ repository: 'acme/other' });
    expect((await world.mirror.get(elsewhere)).status).toBe(404);
    // It is here now, which is another question; but what was said of the manifest itself is not forgotten.
    // By HEAD, and since that proves nothing, by GET.
    expect(world.registry.count({ repository: 'acme/other' })).toBeLessThanOrEqual(asked + 2);
  });
});

describe('when a tag was checked', () => {
  test('is when upstream was asked, so that what moves meanwhile is not believed for longer', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    const stalled = neverRespond();
    world.registry.fault({ method: 'HEAD', times: 1 }, stalled);
    const pending = world.mirror.get(PATH);
    await stalled.reached;
    world.mirror.clock.advance(4_000);
    stalled.release();
    expect((await pending).status).toBe(200);
    expect((await world.mirror.get(PATH)).headers['cache-status']).toBe(
      `larder; hit; ttl=${(TTL - 4_000) / 1000}`,
    );
  });

  test('is before both questions, where the digest was refused and the tag told another', async () => {
    await using world = await start();
    const old = world.registry.putImage('acme/app', 'latest');
    world.registry.fault({ method: 'HEAD' }, withHeaders({ 'docker-content-digest': old.digest }));
    const stalled = neverRespond();
    world.registry.fault({ method: 'GET', reference: old.digest }, UNKNOWN, stalled);
    const moved = world.registry.putImage('acme/app', 'latest', NEW);
    const pending = world.mirror.get(PATH);
    await stalled.reached;
    world.mirror.clock.advance(4_000);
    stalled.release();
    expect(digestIn(await pending)).toBe(moved.digest);
    expect((await world.mirror.get(PATH)).headers['cache-status']).toBe(
      `larder; hit; ttl=${(TTL - 4_000) / 1000}`,
    );
  });
});
