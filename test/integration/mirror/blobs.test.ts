import { createHash, randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import type { BlobStore } from '../../../src/store/blob-store.ts';
import { StoreError } from '../../../src/store/error.ts';
import {
  startFakeRegistry,
  type FakeRegistry,
  type FakeRegistryOptions,
} from '../../support/fake-registry.ts';
import { readAnswer } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import {
  chunked,
  cutAfter,
  flip,
  instead,
  longBody,
  neverRespond,
  registryError,
  shortBody,
  stallAfter,
  status,
  withHeaders,
  type Reply,
} from '../../support/scripted-reply.ts';

const MiB = 1024 * 1024;
const CONTENT = randomBytes(3 * MiB + 12_345);
const DIGEST = digestOf(CONTENT);
const PATH = `/v2/acme/app/blobs/${DIGEST}`;

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(
  options: FakeRegistryOptions = {},
  mirrorOptions: Partial<MirrorFixtureOptions> = {},
): Promise<World> {
  const registry = await startFakeRegistry(options);
  registry.putBlob('acme/app', CONTENT);
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }], ...mirrorOptions });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** A store whose writes wait while it is stopped. */
class SlowDisk {
  #gate = Promise.resolve();
  #goOn = (): void => {};
  #onWrite = (): void => {};

  /** @returns what resolves when the next write has come and waits */
  stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#goOn = resolve;
    return new Promise((waits) => {
      this.#onWrite = waits;
    });
  }

  goOn(): void {
    this.#goOn();
  }

  wrap(store: BlobStore): BlobStore {
    return {
      ...store,
      ingest: async (expected) => {
        const ingest = await store.ingest(expected);
        const write = ingest.write.bind(ingest);
        ingest.write = async (chunks) => {
          this.#onWrite();
          await this.#gate;
          await write(chunks);
        };
        return ingest;
      },
    };
  }
}

function blobGets({ registry }: World, digest: Digest = DIGEST): number {
  return registry.count({ kind: 'blob', method: 'GET', digest });
}

async function expectWarm(world: World): Promise<void> {
  const before = blobGets(world);
  const answer = await world.mirror.get(PATH);
  expect(answer.body.equals(CONTENT)).toBe(true);
  expect(answer.headers['cache-status']).toBe('larder; hit');
  expect(blobGets(world)).toBe(before);
}

describe('a cold blob', () => {
  test('is streamed while it is cached, and then comes from disk', async () => {
    await using world = await start();
    const answer = await world.mirror.get(PATH);
    expect(answer.status).toBe(200);
    expect(answer.complete).toBe(true);
    expect(answer.body.equals(CONTENT)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-length': String(CONTENT.length),
      'docker-content-digest': DIGEST,
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      'cache-status': 'larder; fwd=uri-miss; stored',
    });
    await expectWarm(world);
  });

  test('its first bytes come before its last ones are here', async () => {
    await using world = await start();
    const stalled = stallAfter(MiB);
    world.registry.fault({ kind: 'blob' }, stalled);
    const incoming = await world.mirror.open(PATH);
    let received = 0;
    for await (const chunk of incoming) {
      received += (chunk as Buffer).length;
      if (received === MiB) stalled.release();
    }
    expect(received).toBe(CONTENT.length);
  });

  test('through a redirect', async () => {
    await using world = await start({ redirectBlobs: true });
    expect((await world.mirror.get(PATH)).body.equals(CONTENT)).toBe(true);
    await expectWarm(world);
  });

  test('of unknown length is chunked', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob' }, chunked());
    const answer = await world.mirror.get(PATH);
    expect(answer.headers['content-length']).toBeUndefined();
    expect(answer.complete).toBe(true);
    expect(answer.body.equals(CONTENT)).toBe(true);
    await expectWarm(world);
  });

  test('of unknown length has one for HTTP/1.0, where a cut body looks like a whole one', async () => {
    await using world = await start();
    const end = world.registry.fault({ kind: 'blob' }, chunked(), flip());
    expect(await speakOld(world, PATH)).toMatch(/^HTTP\/1\.1 502 /);
    end();
    world.registry.fault({ kind: 'blob' }, chunked());
    const answer = await speakOld(world, PATH);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain(`Content-Length: ${CONTENT.length}\r\n`);
    expect(answer.endsWith(CONTENT.toString('latin1'))).toBe(true);
  });

  test('of unknown length has the length that its manifest tells', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest', { layers: [CONTENT] });
    world.registry.fault({ kind: 'blob' }, chunked());
    await world.mirror.get('/v2/acme/app/manifests/latest');
    const answer = await world.mirror.get(`/v2/acme/app/blobs/${image.layers[0]?.digest}`);
    expect(answer.headers['content-length']).toBe(String(CONTENT.length));
    expect(answer.complete).toBe(true);
  });

  test.each([-1, 1])(
    'of unknown length: a manifest that lies about it spoils one pull, and not the blob (by %i)',
    async (lie) => {
      await using world = await start();
      world.registry.fault({ kind: 'blob' }, chunked());
      const image = world.registry.putImage('acme/evil', 'latest', { layers: [Buffer.from('small')] });
      const layers = [{ ...image.layers[0], digest: DIGEST, size: CONTENT.length + lie }];
      const document = { ...(JSON.parse(Buffer.from(image.bytes).toString()) as object), layers };
      world.registry.putManifest('acme/evil', 'latest', document);
      await world.mirror.get('/v2/acme/evil/manifests/latest');
      expect((await world.mirror.get(PATH)).complete).toBe(false);
      await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
      expect(blobGets(world)).toBe(2);
      await expectWarm(world);
    },
  );

  test('of no bytes at all', async () => {
    await using world = await start();
    const empty = world.registry.putBlob('acme/app', new Uint8Array());
    for (let i = 0; i < 2; i += 1) {
      const answer = await world.mirror.get(`/v2/acme/app/blobs/${empty.digest}`);
      expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '0', 0]);
    }
    expect(blobGets(world, empty.digest)).toBe(1);
  });

  test('no content (204) is the empty blob, by HEAD and by GET, and no other one', async () => {
    await using world = await start();
    const empty = world.registry.putBlob('acme/app', new Uint8Array());
    const other = world.registry.putBlob('acme/app', Buffer.from('x'));
    for (const { digest } of [empty, other]) world.registry.fault({ digest }, instead(status(204)));
    const path = `/v2/acme/app/blobs/${empty.digest}`;
    for (const answer of [
      await world.mirror.head(path),
      await world.mirror.get(path),
      await world.mirror.head(path),
    ]) {
      expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '0', 0]);
    }
    expect((await world.mirror.get(`/v2/acme/app/blobs/${other.digest}`)).status).toBe(502);
  });

  test('by sha512', async () => {
    await using world = await start();
    const content = Buffer.from('verified by sha512');
    const digest = `sha512:${createHash('sha512').update(content).digest('hex')}` as Digest;
    const body = { status: 200, headers: {}, body: content };
    world.registry.fault({ kind: 'blob' }, instead(body));
    const answer = await world.mirror.get(`/v2/acme/app/blobs/${digest}`);
    expect(answer.headers['docker-content-digest']).toBe(digest);
    expect(answer.body).toEqual(content);
    expect(await world.mirror.files('blobs/sha512')).toEqual([digest.slice('sha512:'.length)]);
  });

  test('HEAD asks upstream for its size and fetches nothing', async () => {
    await using world = await start();
    const answer = await world.mirror.head(PATH);
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([
      200,
      String(CONTENT.length),
      0,
    ]);
    expect(answer.headers['docker-content-digest']).toBe(DIGEST);
    expect(blobGets(world)).toBe(0);
  });

  test('HEAD has the length where upstream tells it by Content-Range only', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob' }, chunked());
    const answer = await world.mirror.head(PATH);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(CONTENT.length)]);
    expect(world.registry.requests.map(({ method, headers }) => [method, headers.range])).toEqual([
      ['HEAD', undefined],
      ['GET', 'bytes=0-0'],
    ]);
    expect(world.mirror.mirror.fills.size).toBe(0);
  });

  test('HEAD of a length that nobody tells has none, and the connection goes on', async () => {
    await using world = await start();
    const whole = { status: 200, headers: {}, body: CONTENT };
    world.registry.fault({ kind: 'blob' }, instead(whole), chunked());
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const answer = await world.mirror.head(PATH, { agent });
    expect([answer.status, answer.headers['docker-content-digest']]).toEqual([200, DIGEST]);
    expect(answer.headers['content-length']).toBeUndefined();
    expect(answer.headers['transfer-encoding']).toBeUndefined();
    // containerd then asks by GET (core/remotes/docker/resolver.go).
    const blob = await world.mirror.get(PATH, { agent });
    expect([blob.status, blob.complete, blob.body.equals(CONTENT)]).toEqual([200, true, true]);
    expect((await world.mirror.head(PATH, { agent })).headers['content-length']).toBe(String(CONTENT.length));
  });

  test('HEAD of a length that upstream does not tell has the one that a manifest tells', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest', { layers: [CONTENT] });
    await world.mirror.get('/v2/acme/app/manifests/latest');
    world.registry.fault({ kind: 'blob' }, instead({ status: 200, headers: {}, body: CONTENT }), chunked());
    const answer = await world.mirror.head(PATH);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(CONTENT.length)]);
  });

  test('HEAD of a length that nobody will tell when asked again has none', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob', method: 'HEAD' }, chunked());
    world.registry.fault({ kind: 'blob', method: 'GET' }, instead(status(503)));
    const answer = await world.mirror.head(PATH);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, undefined]);
  });

  test('that upstream does not have is 404 BLOB_UNKNOWN, asked for once in negativeTtl', async () => {
    await using world = await start();
    const missing = digestOf('missing');
    for (let i = 0; i < 3; i += 1) {
      const answer = await world.mirror.get(`/v2/acme/app/blobs/${missing}`);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] });
    }
    expect(blobGets(world, missing)).toBe(1);
  });

  test('that upstream will not give is 404, never 401', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob' }, instead(registryError(403, 'DENIED')));
    const answer = await world.mirror.get(PATH);
    expect(answer.status).toBe(404);
    expect(answer.headers['www-authenticate']).toBeUndefined();
  });
});

describe('many clients of one cold blob', () => {
  test('upstream sends it once, and each gets all of it', async () => {
    await using world = await start();
    const stalled = stallAfter(MiB);
    world.registry.fault({ kind: 'blob' }, stalled);
    const first = world.mirror.get(PATH);
    await stalled.reached;
    const others = Array.from({ length: 50 }, () => world.mirror.get(PATH));
    await expect.poll(() => world.mirror.fill(DIGEST)?.followers).toBe(51);
    stalled.release();
    for (const { body } of await Promise.all([first, ...others])) expect(digestOf(body)).toBe(DIGEST);
    expect(blobGets(world)).toBe(1);
    expect((await others[0])?.headers['cache-status']).toBe('larder; fwd=uri-miss; stored; collapsed');
  });

  test('the first one leaving changes nothing', async () => {
    await using world = await start();
    const stalled = stallAfter(MiB / 2);
    world.registry.fault({ kind: 'blob' }, stalled);
    const leader = await world.mirror.open(PATH);
    await stalled.reached;
    const follower = world.mirror.get(PATH);
    await expect.poll(() => world.mirror.fill(DIGEST)?.followers).toBe(2);
    leader.destroy();
    await expect.poll(() => world.mirror.fill(DIGEST)?.followers).toBe(1);
    stalled.release();
    expect((await follower).body.equals(CONTENT)).toBe(true);
    expect(blobGets(world)).toBe(1);
  });

  test('all of them leaving does not end a fill that is worth finishing', async () => {
    await using world = await start();
    const stalled = stallAfter(MiB / 2);
    world.registry.fault({ kind: 'blob' }, stalled);
    const leader = await world.mirror.open(PATH);
    await stalled.reached;
    leader.destroy();
    await expect.poll(() => world.mirror.fill(DIGEST)?.followers).toBe(0);
    world.mirror.clock.advance(60_000);
    stalled.release();
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    await expectWarm(world);
  });

  test('a fill that nobody waits for and that is not worth finishing is given up', async () => {
    await using world = await start();
    // A length that nobody knows is a fill that is never worth finishing.
    const stalled = stallAfter(MiB / 2);
    world.registry.fault({ kind: 'blob', times: 1 }, chunked(), stalled);
    const leader = await world.mirror.open(PATH);
    await stalled.reached;
    leader.destroy();
    await expect.poll(() => world.mirror.fill(DIGEST)?.followers).toBe(0);
    world.mirror.clock.advance(10_000);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    stalled.release();
    expect((await world.mirror.get(PATH)).body.equals(CONTENT)).toBe(true);
  });

  test('who comes when a fill was given up but has not ended gets one of their own', async () => {
    const disk = new SlowDisk();
    await using world = await start({}, { wrapStore: (store) => disk.wrap(store) });
    const stalled = stallAfter(MiB / 2);
    world.registry.fault({ kind: 'blob', times: 1 }, chunked(), stalled);
    const leader = await world.mirror.open(PATH);
    await stalled.reached;
    const written = disk.stop();
    stalled.release();
    leader.destroy();
    await expect.poll(() => world.mirror.fill(DIGEST)?.followers).toBe(0);
    await written;
    world.mirror.clock.advance(10_000);
    const late = await world.mirror.open(PATH);
    disk.goOn();
    const answer = await readAnswer(late);
    expect([answer.complete, answer.body.equals(CONTENT), blobGets(world)]).toEqual([true, true, 2]);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    await expectWarm(world);
  });

  test('one whose request came while upstream had not answered yet gets its error too', async () => {
    await using world = await start();
    const silent = neverRespond();
    world.registry.fault({ kind: 'blob' }, silent, instead(status(503)), silent);
    const answers = [world.mirror.get(PATH), world.mirror.get(PATH), world.mirror.get(PATH)];
    await silent.reached;
    silent.release();
    for (const { status } of await Promise.all(answers)) expect(status).toBe(502);
  });
});

describe('what ends while something else is waited for is not fetched again', () => {
  test('the permission of another repository', async () => {
    await using world = await start();
    world.registry.putBlob('acme/other', CONTENT);
    const filling = stallAfter(MiB);
    world.registry.fault({ kind: 'blob', method: 'GET' }, filling);
    const first = world.mirror.get(PATH);
    await filling.reached;
    const asking = neverRespond();
    world.registry.fault({ kind: 'blob', method: 'HEAD', repository: 'acme/other' }, asking);
    const second = world.mirror.get(`/v2/acme/other/blobs/${DIGEST}`);
    await asking.reached;
    filling.release();
    expect((await first).complete).toBe(true);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    asking.release();
    expect((await second).body.equals(CONTENT)).toBe(true);
    expect(blobGets(world)).toBe(1);
  });

  test('a look at the disk', async () => {
    const looks = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let isSlow = false;
    const wrapStore = (store: BlobStore): BlobStore => ({
      ...store,
      async open(digest) {
        const reader = await store.open(digest);
        if (!isSlow) return reader;
        isSlow = false;
        looks.resolve();
        await goOn.promise;
        return reader;
      },
    });
    await using world = await start({}, { wrapStore });
    const filling = stallAfter(MiB);
    world.registry.fault({ kind: 'blob', method: 'GET' }, filling);
    const first = world.mirror.get(PATH);
    await filling.reached;
    isSlow = true;
    const second = world.mirror.get(PATH);
    await looks.promise;
    filling.release();
    expect((await first).complete).toBe(true);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    goOn.resolve();
    expect((await second).body.equals(CONTENT)).toBe(true);
    expect(blobGets(world)).toBe(1);
  });
});

describe('when upstream breaks off', () => {
  test('the fill is taken up again at its offset, and the client sees nothing of it', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob', times: 1 }, cutAfter(MiB));
    const answer = await world.mirror.get(PATH);
    expect(answer.body.equals(CONTENT)).toBe(true);
    expect(blobGets(world)).toBe(2);
    const resumed = world.mirror.events.find((event) => event.kind === 'fill-resumed');
    // A reset may overtake bytes that were sent before it.
    expect(resumed?.offset).toBeLessThanOrEqual(MiB);
    expect(world.registry.requests.at(-1)?.headers.range).toBe(`bytes=${resumed?.offset}-`);
    await expectWarm(world);
  });

  test('it goes on past an upstream that ignores Range', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob', times: 1 }, cutAfter(MiB));
    const whole = { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: CONTENT };
    world.registry.fault({ kind: 'blob' }, (reply) => (reply.status === 206 ? whole : reply));
    expect((await world.mirror.get(PATH)).body.equals(CONTENT)).toBe(true);
    await expectWarm(world);
  });

  test('again and again: it is given up after a bounded number of tries, and the client is cut', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob' }, cutAfter(1000));
    world.registry.fault({ kind: 'blob' }, (reply) => (reply.status === 206 ? status(503) : reply));
    const pending = world.mirror.get(PATH);
    await expect
      .poll(() => {
        world.mirror.clock.advance(1_000);
        return world.mirror.mirror.fills.size === 0 && blobGets(world) > 1;
      })
      .toBe(true);
    const answer = await pending;
    expect(answer.complete).toBe(false);
    expect(blobGets(world)).toBeLessThan(10);
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
  });
});

describe('when upstream sends other bytes than the digest names', () => {
  test.each([
    ['a wrong byte', flip()],
    ['the last byte wrong', flip(CONTENT.length - 1)],
    ['a short body', shortBody()],
    ['a long body', longBody()],
    [
      'another length in chunks',
      (reply: Parameters<ReturnType<typeof chunked>>[0]) => chunked()(shortBody(7)(reply)),
    ],
  ])('%s: nobody gets a complete answer, nothing is cached, the next pull works', async (_, fault) => {
    await using world = await start();
    const stalled = stallAfter(MiB);
    world.registry.fault({ kind: 'blob', times: 1 }, fault, stalled);
    const first = world.mirror.get(PATH);
    await stalled.reached;
    const second = world.mirror.get(PATH);
    await expect.poll(() => world.mirror.fill(DIGEST)?.followers).toBe(2);
    stalled.release();
    for (const answer of await Promise.all([first, second])) {
      expect(answer.complete).toBe(false);
      expect(answer.body.length).toBeLessThan(CONTENT.length + 1);
    }
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(await world.mirror.files('quarantine')).toHaveLength(1);
    expect(world.mirror.events).toContainEqual(expect.objectContaining({ kind: 'verification-failed' }));
    expect((await world.mirror.get(PATH)).body.equals(CONTENT)).toBe(true);
    await expectWarm(world);
  });

  test('after a break, the fill is begun anew by itself, once: the next client finds the right bytes', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob', times: 1 }, cutAfter(MiB));
    world.registry.fault({ kind: 'blob' }, (reply) => (reply.status === 206 ? flip(7)(reply) : reply));
    expect((await world.mirror.get(PATH)).complete).toBe(false);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(world.registry.requests.map(({ headers }) => headers.range?.startsWith('bytes='))).toEqual([
      undefined,
      true,
      undefined,
    ]);
    await expectWarm(world);
  });

  test('after a break, and after another one, too: that is all', async () => {
    await using world = await start();
    world.registry.fault({ kind: 'blob' }, (reply) =>
      reply.status === 206 ? flip(7)(reply) : cutAfter(MiB)(reply),
    );
    expect((await world.mirror.get(PATH)).complete).toBe(false);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(blobGets(world)).toBe(4);
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
  });

  test('bytes where there should be none are not passed on as an empty blob', async () => {
    await using world = await start();
    const empty = world.registry.putBlob('acme/app', new Uint8Array());
    const full = world.registry.putBlob('acme/app', Buffer.from('x'));
    world.registry.fault({ digest: full.digest, times: 1 }, shortBody(1));
    expect((await world.mirror.get(`/v2/acme/app/blobs/${full.digest}`)).status).toBe(502);
    expect((await world.mirror.get(`/v2/acme/app/blobs/${empty.digest}`)).status).toBe(200);
  });

  test('a compressed body has another digest: it is cut off, and nothing of it is kept', async () => {
    await using world = await start();
    const compress = (reply: Reply): Reply => ({
      ...reply,
      headers: { ...reply.headers, 'content-encoding': 'gzip' },
      body: gzipSync(reply.body),
    });
    world.registry.fault({ kind: 'blob', times: 1 }, compress);
    expect((await world.mirror.get(PATH)).complete).toBe(false);
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
    expect((await world.mirror.get(PATH)).body.equals(CONTENT)).toBe(true);
  });

  test.each(['gzip', 'aws-chunked', 'utf-8'])('one that is only called so is none: %s', async (encoding) => {
    await using world = await start();
    world.registry.fault({ kind: 'blob' }, withHeaders({ 'content-encoding': encoding }));
    expect((await world.mirror.get(PATH)).body.equals(CONTENT)).toBe(true);
    const part = await world.mirror.get(PATH, { headers: { range: 'bytes=1-3' } });
    expect([part.status, part.body]).toEqual([206, CONTENT.subarray(1, 4)]);
  });
});

/** What comes back to an HTTP/1.0 client until the connection ends. */
async function speakOld({ mirror }: World, path: string): Promise<string> {
  const socket = connect(Number(mirror.url.port), '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.0\r\nHost: mirror\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

describe('ranges', () => {
  const size = CONTENT.length;
  const table: [string, string, number, number][] = [
    ['a slice', 'bytes=500-1499', 500, 1500],
    ['from a byte to the end', `bytes=${size - 1000}-`, size - 1000, size],
    ['the whole as a range', 'bytes=0-', 0, size],
    ['the last bytes', 'bytes=-500', size - 500, size],
    ['an end beyond the last byte', `bytes=2000-${size + 5000}`, 2000, size],
    ['the end that regclient sends', `bytes=100-${size}`, 100, size],
  ];

  test.each(table)('%s of a warm blob', async (_, range, from, to) => {
    await using world = await start();
    await world.mirror.get(PATH);
    const answer = await world.mirror.get(PATH, { headers: { range } });
    expect(answer.status).toBe(206);
    expect(answer.headers['content-range']).toBe(`bytes ${from}-${to - 1}/${size}`);
    expect(answer.headers['content-length']).toBe(String(to - from));
    expect(answer.body.equals(CONTENT.subarray(from, to))).toBe(true);
  });

  test.each(table)('%s of a cold blob: one fetch, of the whole', async (_, range, from, to) => {
    await using world = await start();
    const answer = await world.mirror.get(PATH, { headers: { range } });
    expect(answer.status).toBe(206);
    expect(answer.body.equals(CONTENT.subarray(from, to))).toBe(true);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(blobGets(world)).toBe(1);
    await expectWarm(world);
  });

  test.each(['bytes=500-0', `bytes=${size}-`, `bytes=${size + 5000}-${size + 10_000}`, 'bytes=-0'])(
    '%s has none of the bytes',
    async (range) => {
      await using world = await start();
      await world.mirror.get(PATH);
      const answer = await world.mirror.get(PATH, { headers: { range } });
      expect(answer.status).toBe(416);
      expect(answer.headers['content-range']).toBe(`bytes */${size}`);
    },
  );

  test('that a cold blob has none of the bytes is said once it is verified', async () => {
    await using world = await start();
    const beyond = { headers: { range: `bytes=${size}-` } };
    const other = { status: 200, headers: {}, body: Buffer.from('other') };
    const end = world.registry.fault({ kind: 'blob' }, instead(other));
    const wrong = await world.mirror.get(PATH, beyond);
    expect([wrong.status, wrong.body.toString()]).toEqual([
      502,
      expect.stringContaining('registry.test: sent wrong bytes'),
    ]);
    end();
    const right = await world.mirror.get(PATH, beyond);
    expect([right.status, right.headers['content-range']]).toEqual([416, `bytes */${size}`]);
    await expectWarm(world);
  });

  test.each(['bytes=0-1,x', 'lines=1-2', 'bytes=x'])('%s is answered with the whole', async (range) => {
    await using world = await start();
    const answer = await world.mirror.get(PATH, { headers: { range } });
    expect([answer.status, answer.body.length]).toEqual([200, size]);
  });

  test('If-Range with another entity tag gets the whole', async () => {
    await using world = await start();
    const headers = { range: 'bytes=0-9', 'if-range': '"other"' };
    expect((await world.mirror.get(PATH, { headers })).status).toBe(200);
    expect(
      (await world.mirror.get(PATH, { headers: { ...headers, 'if-range': `"${DIGEST}"` } })).status,
    ).toBe(206);
  });

  test.each([
    ['a weak tag', `W/"${DIGEST}"`],
    ['a date', 'Fri, 01 Jan 2027 00:00:00 GMT'],
    ['a list', `"${DIGEST}", "${DIGEST}"`],
    ['any', '*'],
    ['nothing', ''],
    ['one that is right and one that is not', [`"${DIGEST}"`, '"other"']],
  ])('If-Range with %s gets the whole', async (_, condition) => {
    await using world = await start();
    const headers = { range: 'bytes=0-9', 'if-range': condition };
    expect((await world.mirror.get(PATH, { headers })).status).toBe(200);
    expect((await world.mirror.get(PATH, { headers })).status).toBe(200);
  });

  test('If-None-Match with the digest gets 304', async () => {
    await using world = await start();
    await world.mirror.get(PATH);
    const answer = await world.mirror.get(PATH, { headers: { 'if-none-match': `"${DIGEST}"` } });
    expect([answer.status, answer.body.length]).toEqual([304, 0]);
  });

  test('parallel open-ended ranges that are closed early cause one fetch of the whole and do not end it', async () => {
    await using world = await start();
    const stalled = stallAfter(MiB);
    world.registry.fault({ kind: 'blob' }, stalled);
    const first = await world.mirror.open(PATH, { headers: { range: 'bytes=0-' } });
    await stalled.reached;
    const others = await Promise.all(
      [1, 2].map((i) => world.mirror.open(PATH, { headers: { range: `bytes=${i * MiB}-` } })),
    );
    first.destroy();
    for (const incoming of others) incoming.destroy();
    stalled.release();
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(blobGets(world)).toBe(1);
    await expectWarm(world);
  });

  test('a range far ahead of the fill is fetched by itself, and the fill goes on', async () => {
    await using world = await start();
    const large = randomBytes(20 * MiB);
    const { digest } = world.registry.putBlob('acme/app', large);
    const stalled = stallAfter(MiB);
    world.registry.fault({ digest, times: 1 }, stalled);
    const path = `/v2/acme/app/blobs/${digest}`;
    const leader = world.mirror.get(path);
    await stalled.reached;
    const tail = await world.mirror.get(path, { headers: { range: `bytes=${15 * MiB}-${15 * MiB + 9}` } });
    expect(tail.body.equals(large.subarray(15 * MiB, 15 * MiB + 10))).toBe(true);
    expect(world.registry.requests.at(-1)?.headers.range).toBe(`bytes=${15 * MiB}-${15 * MiB + 9}`);
    stalled.release();
    expect((await leader).body.equals(large)).toBe(true);
    expect(blobGets(world, digest)).toBe(2);
  });

  test('a range far ahead of the fill that upstream will not give by itself comes with the fill', async () => {
    await using world = await start();
    const large = randomBytes(20 * MiB);
    const { digest } = world.registry.putBlob('acme/app', large);
    const stalled = stallAfter(MiB);
    world.registry.fault({ digest, times: 1 }, stalled);
    const path = `/v2/acme/app/blobs/${digest}`;
    const leader = world.mirror.get(path);
    await stalled.reached;
    world.registry.fault({ digest }, instead(status(429)));
    const tail = await world.mirror.open(path, { headers: { range: 'bytes=-10' } });
    expect(tail.statusCode).toBe(206);
    stalled.release();
    expect((await readAnswer(tail)).body.equals(large.subarray(-10))).toBe(true);
    expect((await leader).complete).toBe(true);
  });
});

describe('belonging', () => {
  test('a blob cached through one repository is asked for again for another, and then comes from disk', async () => {
    await using world = await start();
    await world.mirror.get(PATH);
    world.registry.putBlob('acme/other', CONTENT);
    const other = `/v2/acme/other/blobs/${DIGEST}`;
    const answer = await world.mirror.get(other);
    expect(answer.body.equals(CONTENT)).toBe(true);
    expect(blobGets(world)).toBe(1);
    expect(world.registry.count({ kind: 'blob', method: 'HEAD', repository: 'acme/other' })).toBe(1);
    expect((await world.mirror.get(other)).headers['cache-status']).toBe('larder; hit');
    expect(world.registry.count({ kind: 'blob', method: 'HEAD' })).toBe(1);
  });

  test('where upstream says no, the other repository gets nothing, by GET, HEAD or Range', async () => {
    await using world = await start();
    await world.mirror.get(PATH);
    world.registry.putBlob('acme/other', Buffer.from('something else'));
    const other = `/v2/acme/other/blobs/${DIGEST}`;
    expect((await world.mirror.get(other)).status).toBe(404);
    expect((await world.mirror.head(other)).status).toBe(404);
    expect((await world.mirror.get(other, { headers: { range: 'bytes=0-9' } })).status).toBe(404);
  });

  test('where upstream cannot be asked, the other repository gets nothing, and no 404', async () => {
    await using world = await start();
    await world.mirror.get(PATH);
    world.registry.down();
    expect((await world.mirror.get(`/v2/acme/other/blobs/${DIGEST}`)).status).toBe(502);
  });

  test('nor does it get to follow a running fill', async () => {
    await using world = await start();
    const stalled = stallAfter(MiB);
    world.registry.fault({ kind: 'blob', repository: 'acme/app' }, stalled);
    const leader = world.mirror.get(PATH);
    await stalled.reached;
    expect((await world.mirror.get(`/v2/acme/other/blobs/${DIGEST}`)).status).toBe(404);
    stalled.release();
    expect((await leader).complete).toBe(true);
  });

  test('a repository that stalls holds nobody back who has the blob from another one of its upstream', async () => {
    await using world = await start();
    world.registry.putBlob('acme/other', CONTENT);
    const stalled = stallAfter(MiB);
    world.registry.fault({ kind: 'blob', method: 'GET', repository: 'acme/app' }, stalled);
    const leader = world.mirror.get(PATH);
    await stalled.reached;
    await expect.poll(() => world.mirror.fill(DIGEST)?.offset).toBe(MiB);
    const other = readAnswer(await world.mirror.open(`/v2/acme/other/blobs/${DIGEST}`));
    world.mirror.clock.advance(4_999);
    expect(blobGets(world)).toBe(1);
    world.mirror.clock.advance(1);
    for (const answer of await Promise.all([leader, other])) {
      expect([answer.complete, answer.body.equals(CONTENT)]).toEqual([true, true]);
    }
    expect(world.registry.requests.at(-1)).toMatchObject({ repository: 'acme/other' });
    expect(world.registry.requests.at(-1)?.headers.range).toBe(`bytes=${MiB}-`);
    stalled.release();
  });

  test('what a manifest pulled through the repository refers to is asked for once, and then belongs to it', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest', { layers: [CONTENT] });
    world.registry.putImage('acme/other', 'latest', { layers: [CONTENT] });
    await world.mirror.get(PATH);
    await world.mirror.get('/v2/acme/other/manifests/latest');
    const path = `/v2/acme/other/blobs/${DIGEST}`;
    expect((await world.mirror.get(path)).body.equals(CONTENT)).toBe(true);
    expect((await world.mirror.get(path)).headers['cache-status']).toBe('larder; hit');
    expect(world.registry.count({ kind: 'blob', repository: 'acme/other', method: 'HEAD' })).toBe(1);
    expect(world.registry.count({ kind: 'blob', repository: 'acme/other' })).toBe(1);
  });

  test('a manifest cached through one repository is not given to another either', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get('/v2/acme/app/manifests/latest');
    const other = `/v2/acme/other/manifests/${image.digest}`;
    expect((await world.mirror.get(other)).status).toBe(404);
    world.registry.putManifest('acme/other', undefined, image.bytes);
    world.mirror.clock.advance(30_000);
    expect((await world.mirror.get(other)).body).toEqual(Buffer.from(image.bytes));
    // For the refusal alone, which a HEAD does not prove.
    expect(world.registry.count({ kind: 'manifest', method: 'GET', repository: 'acme/other' })).toBe(1);
  });
});

describe('when the store fails', () => {
  /** A store whose disk is full after so many bytes of a blob. */
  function fullAfter(limit: number): (store: BlobStore) => BlobStore {
    return (store) => ({
      stat: (digest) => store.stat(digest),
      open: (digest) => store.open(digest),
      delete: (digest) => store.delete(digest),
      quarantine: store.quarantine,
      list: () => store.list(),
      async ingest(expected) {
        if (limit === 0) throw new StoreError('begin a blob', { code: 'ENOSPC' });
        const ingest = await store.ingest(expected);
        const write = ingest.write.bind(ingest);
        ingest.write = async (chunks) => {
          const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
          if (ingest.offset + bytes > limit) throw new StoreError('write a blob', { code: 'ENOSPC' });
          await write(chunks);
        };
        return ingest;
      },
    });
  }

  test.each([
    ['at once', 0],
    ['in the middle', MiB],
  ])('%s: running pulls finish from upstream, verified, and nothing is published', async (_, limit) => {
    await using world = await start({}, { wrapStore: fullAfter(limit) });
    const answers = await Promise.all([world.mirror.get(PATH), world.mirror.get(PATH)]);
    for (const answer of answers) {
      expect(answer.complete).toBe(true);
      expect(answer.body.equals(CONTENT)).toBe(true);
    }
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
    expect(world.mirror.events).toContainEqual(expect.objectContaining({ kind: 'store-failed' }));
  });

  test.each([
    ['at once', 0],
    ['in the middle', MiB],
  ])('%s: a range ahead of what is here comes from upstream by itself', async (_, limit) => {
    await using world = await start({}, { wrapStore: fullAfter(limit) });
    const headers = { range: `bytes=${2 * MiB}-` };
    const answer = await world.mirror.get(PATH, { headers });
    expect([answer.status, answer.complete]).toEqual([206, true]);
    expect(answer.body.equals(CONTENT.subarray(2 * MiB))).toBe(true);
  });

  test.each([
    ['at once', 0],
    ['in the middle', MiB],
  ])('%s: wrong bytes are still found out', async (_, limit) => {
    await using world = await start({}, { wrapStore: fullAfter(limit) });
    world.registry.fault({ kind: 'blob' }, flip(CONTENT.length - 1));
    world.registry.fault({ kind: 'blob' }, (reply) =>
      reply.status === 206 ? flip(reply.body.length - 2)(reply) : reply,
    );
    expect((await world.mirror.get(PATH)).complete).toBe(false);
  });

  test('manifests are served from memory', async () => {
    await using world = await start({}, { wrapStore: fullAfter(0) });
    const image = world.registry.putImage('acme/app', 'latest');
    for (let i = 0; i < 2; i += 1) {
      expect((await world.mirror.get('/v2/acme/app/manifests/latest')).body).toEqual(
        Buffer.from(image.bytes),
      );
    }
    expect(world.registry.count({ kind: 'manifest', method: 'GET' })).toBe(1);
  });
});
