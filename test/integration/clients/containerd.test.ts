/**
 * containerd with hosts.toml, as CRI, nerdctl and ctr use it: `ns`, HEAD before GET, fallback for each request,
 * and layers in parallel ranges.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  identityOf,
  readThenLeave,
  requestsOf,
  startClientWorld,
  wholeOf,
  type ClientWorld,
  type WireClient,
} from '../../support/client-world.ts';
import type { RegistryHit, StoredImage, StoredManifest } from '../../support/fake-registry.ts';
import { readAnswer } from '../../support/http-get.ts';
import { MINUTE } from '../../support/mirror-fixture.ts';
import { instead, stallAfter, status } from '../../support/scripted-reply.ts';

const MiB = 1024 * 1024;
const RESOLVE_ACCEPT = [
  MediaType.dockerManifest,
  MediaType.dockerList,
  MediaType.ociManifest,
  MediaType.ociIndex,
  '*/*',
].join(', ');

/** What goes with every fetch: containerd would even decode what came compressed. */
const fetching = (mediaType: string): Record<string, string> => ({
  accept: `${mediaType}, */*`,
  'accept-encoding': 'zstd;q=1.0, gzip;q=0.8, deflate;q=0.5',
});

const RESOLVING = { accept: RESOLVE_ACCEPT, 'accept-encoding': 'gzip' };

function containerdOf(world: ClientWorld, connections = 1): WireClient {
  return world.client({ 'user-agent': 'containerd/2.1.4' }, connections);
}

/** An image for two platforms, with layers that would compress well. */
function putMultiPlatform(world: ClientWorld): { index: StoredManifest; amd64: StoredImage } {
  const layers = ['one', 'two'].map((name) => Buffer.from(`layer ${name} `.repeat(20_000)));
  const amd64 = world.hub.putImage('library/debian', undefined, { layers });
  const arm64 = world.hub.putImage('library/debian', undefined, { config: { architecture: 'arm64' } });
  const index = world.hub.putIndex('library/debian', '12', [
    { ...amd64.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
    { ...arm64.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
  ]);
  return { index, amd64 };
}

const repository = '/v2/library/debian';
const NS = '?ns=docker.io';

/** Resolves the tag by HEAD, then fetches everything by what the answer before has named. */
async function pull(containerd: WireClient, { amd64 }: { amd64: StoredImage }): Promise<void> {
  const head = await containerd.head(`${repository}/manifests/12${NS}`, RESOLVING);
  expect(head.status).toBe(200);
  const top = {
    mediaType: String(head.headers['content-type']),
    digest: head.headers['docker-content-digest'] as Digest,
    size: Number(head.headers['content-length']),
  };
  for (const { mediaType, digest, size } of [top, amd64.descriptor]) {
    const answer = await containerd.get(`${repository}/manifests/${digest}${NS}`, fetching(mediaType));
    expect(identityOf(answer)).toEqual(wholeOf({ digest, size }));
    expect(answer.headers['content-type']).toBe(mediaType);
  }
  for (const { mediaType, digest, size } of [amd64.config, ...amd64.layers]) {
    const answer = await containerd.get(`${repository}/blobs/${digest}${NS}`, fetching(mediaType));
    expect(identityOf(answer)).toEqual(wholeOf({ digest, size }));
  }
}

describe('a pull', () => {
  test('is HEAD by tag and GETs by digest, each made of what the answer before it said, over one connection', async () => {
    await using world = await startClientWorld();
    const image = putMultiPlatform(world);
    const containerd = containerdOf(world);
    await pull(containerd, image);
    expect(containerd.connections).toBe(1);
    expect(requestsOf(world.hub)).toEqual([
      `HEAD ${repository}/manifests/12`,
      `GET ${repository}/manifests/${image.index.digest}`,
      `GET ${repository}/manifests/${image.amd64.digest}`,
      ...[image.amd64.config, ...image.amd64.layers].map(({ digest }) => `GET ${repository}/blobs/${digest}`),
    ]);
  });

  test('again costs upstream nothing, and one HEAD once the tag is stale', async () => {
    await using world = await startClientWorld();
    const image = putMultiPlatform(world);
    const containerd = containerdOf(world);
    await pull(containerd, image);
    const cold = world.hub.requests.length;
    await pull(containerd, image);
    expect(world.hub.requests.length).toBe(cold);
    world.mirror.clock.advance(5 * MINUTE);
    await pull(containerd, image);
    expect(requestsOf(world.hub).slice(cold)).toEqual([`HEAD ${repository}/manifests/12`]);
  });

  test('asks for zstd and gzip, and gets the bytes that the digest names: neither here nor upstream is compressed', async () => {
    await using world = await startClientWorld();
    await pull(containerdOf(world), putMultiPlatform(world));
    const encodings = world.hub.requests.map(({ headers }) => headers['accept-encoding']);
    expect(new Set(encodings)).toEqual(new Set(['identity']));
  });

  test('the namespace is confirmed on what is found and on what is not', async () => {
    await using world = await startClientWorld();
    putMultiPlatform(world);
    const containerd = containerdOf(world);
    for (const tag of ['12', 'none']) {
      const { headers } = await containerd.head(`${repository}/manifests/${tag}${NS}`, RESOLVING);
      expect(headers['oci-namespace']).toBe('docker.io');
    }
  });

  test('a namespace with a port comes percent-encoded', async () => {
    await using world = await startClientWorld({ names: ['docker.io', 'registry.internal:5000'] });
    const image = world.registry('registry.internal:5000').putImage('team/app', '1');
    const path = '/v2/team/app/manifests/1?ns=registry.internal%3A5000';
    const { headers } = await containerdOf(world).head(path, RESOLVING);
    expect(headers['docker-content-digest']).toBe(image.digest);
    expect(headers['oci-namespace']).toBe('registry.internal:5000');
  });

  test('what hosts.toml adds to every request stays here', async () => {
    await using world = await startClientWorld();
    const image = putMultiPlatform(world);
    const headers = { authorization: 'Basic c2VjcmV0', cookie: 'session=secret', 'x-team': 'secret' };
    await pull(world.client({ 'user-agent': 'containerd/2.1.4', ...headers }), image);
    expect(JSON.stringify(world.hub.requests.map((request) => request.headers))).not.toMatch(/secret|c2Vj/);
  });
});

describe('what is not here', () => {
  test('a missing digest is asked for as a manifest and then as a blob: both are 404, twice over costs upstream once', async () => {
    await using world = await startClientWorld();
    putMultiPlatform(world);
    const containerd = containerdOf(world);
    const digest = digestOf('missing');
    for (let i = 0; i < 2; i += 1) {
      for (const kind of ['manifests', 'blobs']) {
        const answer = await containerd.head(`${repository}/${kind}/${digest}${NS}`, RESOLVING);
        expect([answer.status, answer.body.length]).toEqual([404, 0]);
      }
    }
    expect(containerd.connections).toBe(1);
    expect(requestsOf(world.hub)).toEqual([
      `HEAD ${repository}/manifests/${digest}`,
      // A HEAD has no document that could say so.
      `GET ${repository}/manifests/${digest}`,
      `HEAD ${repository}/blobs/${digest}`,
      `GET ${repository}/blobs/${digest}`,
    ]);
  });

  test('403 makes containerd ask again by GET for the reason: it is there, and then the next host is asked', async () => {
    await using world = await startClientWorld({ isAllowed: (name) => !name.startsWith('library/') });
    const containerd = containerdOf(world);
    const path = `${repository}/manifests/12${NS}`;
    expect((await containerd.head(path, RESOLVING)).status).toBe(403);
    const answer = await containerd.get(path, RESOLVING);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      errors: [{ code: 'DENIED', message: expect.stringContaining('library/debian') as string }],
    });
    expect(world.hub.requests).toEqual([]);
  });

  test('an upstream that fails gets 502, which containerd takes to the next host at once, without a retry here', async () => {
    await using world = await startClientWorld();
    world.hub.fault({}, instead(status(503)));
    const answer = await containerdOf(world).head(`${repository}/manifests/12${NS}`, RESOLVING);
    expect(answer.status).toBe(502);
  });
});

describe('the headers of a layer', () => {
  test('come as soon as upstream’s have, to everyone: containerd gives up after 30 s without them', async () => {
    await using world = await startClientWorld();
    const content = randomBytes(2 * MiB);
    const { digest } = world.hub.putBlob('library/debian', content);
    const silent = stallAfter(0);
    world.hub.fault({ kind: 'blob' }, silent);
    const containerd = containerdOf(world, 3);
    const path = `${repository}/blobs/${digest}${NS}`;
    // Each of these resolves with the headers, while upstream has not sent one byte of the body.
    const first = await containerd.open(path, fetching('application/vnd.oci.image.layer.v1.tar'));
    const second = await containerd.open(path, fetching('application/vnd.oci.image.layer.v1.tar'));
    const ranged = await containerd.open(path, { range: `bytes=${MiB}-` });
    expect([first, second, ranged].map(({ statusCode }) => statusCode)).toEqual([200, 200, 206]);
    silent.release();
    expect((await readAnswer(first)).body.equals(content)).toBe(true);
    expect((await readAnswer(second)).body.equals(content)).toBe(true);
    expect((await readAnswer(ranged)).body.equals(content.subarray(MiB))).toBe(true);
  });
});

describe('a layer in parallel', () => {
  const SIZE = 48 * MiB + 4321;
  /** Larger than what is near: containerd's default for a chunk is of this order. */
  const CHUNK = 10 * MiB;
  const CONTENT = randomBytes(SIZE);
  const STARTS = Array.from({ length: Math.ceil(SIZE / CHUNK) }, (_, i) => i * CHUNK);
  const LAYER = fetching('application/vnd.oci.image.layer.v1.tar');

  interface Layer {
    readonly world: ClientWorld;
    readonly digest: Digest;
    readonly path: string;
  }

  function putLayer(world: ClientWorld): Layer {
    const { digest } = world.hub.putBlob('library/debian', CONTENT);
    return { world, digest, path: `${repository}/blobs/${digest}${NS}` };
  }

  async function openFrom(containerd: WireClient, path: string, start: number): Promise<IncomingMessage> {
    const incoming = await containerd.open(path, { ...LAYER, range: `bytes=${start}-` });
    expect(incoming.statusCode).toBe(206);
    expect(incoming.headers['content-range']).toBe(`bytes ${start}-${SIZE - 1}/${SIZE}`);
    expect(incoming.headers['content-length']).toBe(String(SIZE - start));
    return incoming;
  }

  /**
   * Three requests at a time, each open-ended, each closed once its chunk is here; the first one asks for `0-`.
   * @param onHeaders called at the headers of each answer
   */
  async function fetchInChunks({ world, path }: Layer, onHeaders = (): void => undefined): Promise<Buffer> {
    const containerd = containerdOf(world, 3);
    const starts = [...STARTS];
    const chunks: Buffer[] = [];
    const first = await openFrom(containerd, path, starts.shift() ?? 0);
    onHeaders();
    const fetchNext = async (opened?: IncomingMessage): Promise<void> => {
      if (opened !== undefined) chunks[0] = await readThenLeave(opened, CHUNK);
      for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
        const incoming = await openFrom(containerd, path, start);
        onHeaders();
        chunks[start / CHUNK] = await readThenLeave(incoming, Math.min(CHUNK, SIZE - start));
      }
    };
    await Promise.all([fetchNext(first), fetchNext(), fetchNext()]);
    return Buffer.concat(chunks);
  }

  function bytesSent(world: ClientWorld): number {
    return world.hub.requests.reduce((sum, request) => sum + request.bytesSent, 0);
  }

  test('cold: upstream sends it once, though every request but the last is closed early', async () => {
    await using world = await startClientWorld();
    const layer = putLayer(world);
    expect(digestOf(await fetchInChunks(layer))).toBe(layer.digest);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(requestsOf(world.hub)).toEqual([`GET ${repository}/blobs/${layer.digest}`]);
    expect(world.hub.requests[0]?.headers.range).toBeUndefined();
  });

  test('cold, from a slow upstream: the headers of chunks far ahead come at once, their bytes with the one fetch', async () => {
    await using world = await startClientWorld();
    const layer = putLayer(world);
    const slow = stallAfter(MiB);
    world.hub.fault({ kind: 'blob' }, slow);
    let headers = 0;
    const fetched = fetchInChunks(layer, () => (headers += 1));
    // All that containerd asks for at a time, 19 MiB ahead of what upstream has sent.
    await expect.poll(() => headers).toBe(3);
    for (let allowed = MiB; allowed < SIZE; allowed += 4 * MiB) {
      slow.allow(4 * MiB);
      await new Promise(setImmediate);
    }
    expect(digestOf(await fetched)).toBe(layer.digest);
    expect([world.hub.requests.length, bytesSent(world)]).toEqual([1, SIZE]);
  });

  test('cold, by ten nodes at a time: upstream sends it once', async () => {
    await using world = await startClientWorld();
    const layer = putLayer(world);
    const slow = stallAfter(MiB);
    world.hub.fault({ kind: 'blob' }, slow);
    let headers = 0;
    const nodes = Array.from({ length: 10 }, () => fetchInChunks(layer, () => (headers += 1)));
    await expect.poll(() => headers).toBe(30);
    slow.release();
    for (const node of nodes) expect(digestOf(await node)).toBe(layer.digest);
    expect([world.hub.requests.length, bytesSent(world)]).toEqual([1, SIZE]);
  });

  test('that nobody goes on with is fetched to its end all the same: who reads in parts comes back', async () => {
    await using world = await startClientWorld();
    const content = randomBytes(80 * MiB);
    const { digest } = world.hub.putBlob('library/debian', content);
    const slow = stallAfter(2 * MiB);
    world.hub.fault({ kind: 'blob' }, slow);
    const path = `${repository}/blobs/${digest}${NS}`;
    const incoming = await containerdOf(world).open(path, { ...LAYER, range: 'bytes=0-' });
    await readThenLeave(incoming, MiB);
    const fill = world.mirror.fill(digest);
    await expect.poll(() => fill?.followers).toBe(0);
    for (let seconds = 0; seconds < 30; seconds += 3) {
      const before = fill?.offset ?? 0;
      slow.allow(64 * 1024);
      await expect.poll(() => fill?.offset).toBeGreaterThan(before);
      world.mirror.clock.advance(3_000);
    }
    slow.release();
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    const answer = await containerdOf(world).get(path);
    expect([answer.status, digestOf(answer.body)]).toEqual([200, digest]);
    expect([world.hub.requests.length, bytesSent(world)]).toEqual([1, 80 * MiB]);
  });

  test('warm: upstream is not asked at all', async () => {
    await using world = await startClientWorld();
    const layer = putLayer(world);
    await containerdOf(world).get(layer.path);
    expect(digestOf(await fetchInChunks(layer))).toBe(layer.digest);
    expect(world.hub.requests).toHaveLength(1);
  });

  test('a download that goes on after a break costs upstream its rest beside the fetch: its request ends with the client’s', async () => {
    await using world = await startClientWorld();
    const content = randomBytes(80 * MiB);
    const { digest } = world.hub.putBlob('library/debian', content);
    const stalled = stallAfter(MiB);
    world.hub.fault({ kind: 'blob', times: 1 }, stalled);
    const containerd = containerdOf(world, 2);
    const path = `${repository}/blobs/${digest}${NS}`;
    const far = 60 * MiB;
    const chunk = await readThenLeave(await containerd.open(path, { range: `bytes=${far}-` }), MiB);
    expect(chunk.equals(content.subarray(far, far + MiB))).toBe(true);
    const direct = (): RegistryHit | undefined => world.hub.requests[1];
    await expect.poll(() => direct()?.closed).toBe(true);
    expect(direct()?.headers.range).toMatch(new RegExp(`^bytes=${far}-`));
    // Beyond what the client took, only what the buffers of two connections hold.
    expect(direct()?.complete).toBe(false);
    expect(direct()?.bytesSent).toBeLessThan(19 * MiB);
    // What may be fetched beside the fill is used up: the next one gets its bytes with the fill.
    const next = await containerd.open(path, { range: `bytes=${far}-` });
    expect(next.statusCode).toBe(206);
    stalled.release();
    expect((await readAnswer(next)).body.equals(content.subarray(far))).toBe(true);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(world.hub.requests).toHaveLength(2);
  });
});

describe('referrers', () => {
  const types = ['application/spdx+json', 'application/vnd.in-toto+json'];
  const filter = types.map((type) => `artifactType=${encodeURIComponent(type)}`).join('&');

  test('of several artifact types are filtered here, whatever upstream can do', async () => {
    await using world = await startClientWorld({ registry: { referrers: false } });
    const { index } = putMultiPlatform(world);
    const entries = [...types, 'application/other'].map((artifactType) => ({
      ...world.hub.putImage('library/debian', undefined, {
        subject: index.descriptor,
        artifactType,
        layers: [Buffer.from(artifactType)],
      }).descriptor,
      artifactType,
    }));
    world.hub.putIndex('library/debian', index.digest.replace(':', '-'), entries);
    const path = `${repository}/referrers/${index.digest}?${filter}&ns=docker.io`;
    const answer = await containerdOf(world).get(path, fetching(MediaType.ociIndex));
    expect(answer.headers['content-type']).toBe(MediaType.ociIndex);
    const { manifests } = JSON.parse(answer.body.toString()) as { manifests: { artifactType: string }[] };
    expect(manifests.map(({ artifactType }) => artifactType).sort()).toEqual([...types].sort());
  });

  test('where they cannot be had the tag schema is tried: its 404 means that there are none', async () => {
    await using world = await startClientWorld();
    const { index } = putMultiPlatform(world);
    world.hub.fault({ kind: 'referrers' }, instead(status(500)));
    const containerd = containerdOf(world);
    const asked = await containerd.get(`${repository}/referrers/${index.digest}${NS}`);
    expect(asked.status).toBe(502);
    const tag = index.digest.replace(':', '-');
    const fallback = await containerd.get(`${repository}/manifests/${tag}${NS}`, RESOLVING);
    expect(fallback.status).toBe(404);
    expect(JSON.parse(fallback.body.toString())).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });
  });

  test('the tag schema’s index is a manifest like any other', async () => {
    await using world = await startClientWorld();
    const { index } = putMultiPlatform(world);
    const listed = world.hub.putIndex('library/debian', index.digest.replace(':', '-'), [index.descriptor]);
    const path = `${repository}/manifests/${index.digest.replace(':', '-')}${NS}`;
    const answer = await containerdOf(world).get(path, RESOLVING);
    expect(identityOf(answer)).toEqual(wholeOf(listed.descriptor));
    expect(answer.headers['content-type']).toBe(MediaType.ociIndex);
  });
});
