/**
 * A bad day: everything at once that one client, or one repository of an upstream, can do to the others. Another
 * client's pulls must not notice.
 */
import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { hostileRegistry } from '../support/e2e/hostile-registry.ts';
import { ask, type Answer } from '../support/e2e/http-client.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import type { FakeRegistry, StoredImage } from '../support/fake-registry.ts';
import { canMount, temporaryFileSystem } from '../support/temporary-file-system.ts';

const MiB = 1024 * 1024;
const MIN_FREE = 40 * MiB;
/**
 * A layer of a cold image, which is written while eviction makes room for it, and what the index writes meanwhile
 * (about 1 MiB for each manifest of 4,000 layers), which asks for no room.
 */
const BETWEEN_LOOKS = 4 * MiB;
/** Cold images that the other client pulls while the trouble lasts. */
const COLD = 12;

const isMountable = await canMount();
if (!isMountable) console.warn('skipped: a small disk, since nothing may be mounted here');

function imageOf(good: FakeRegistry, name: string): StoredImage {
  return good.putImage(`good/${name}`, '1', { config: { name }, layers: [randomBytes(3 * MiB)] });
}

/** Pulls manifest and blobs from an address that nothing else uses. */
async function pull(mirror: Larder, name: string, image: StoredImage, from: string): Promise<Answer[]> {
  const repository = `${mirror.url}/v2/registry.example.test/good/${name}`;
  const answers = [await ask(`${repository}/manifests/1`, { from })];
  for (const { digest } of [image.config, ...image.layers]) {
    answers.push(await ask(`${repository}/blobs/${digest}`, { from }));
  }
  return answers;
}

function expectWhole(answers: readonly Answer[], image: StoredImage): void {
  const digests = [image, image.config, ...image.layers].map(({ digest }) => digest);
  expect(answers.map(({ status, complete, digest }) => [status, complete, digest])).toEqual(
    digests.map((digest) => [200, true, digest]),
  );
}

/** Repeats until it is told to end; whatever comes of it is not what the test is about. */
async function keepOn(end: AbortSignal, run: (turn: number) => Promise<unknown>): Promise<void> {
  for (let turn = 0; !end.aborted; turn += 1) {
    await run(turn).catch(() => undefined);
    await wait(10);
  }
}

type Trouble = (base: string, end: AbortSignal) => Promise<unknown>;

const rangesOfLargeBlobs: Trouble = (base) =>
  Promise.all(
    Array.from({ length: 48 }, async (_, i) => {
      const digest = digestOf(Buffer.from(`slow ${i}`));
      await ask(`${base}/slow/layers/blobs/${digest}`, {
        headers: { range: 'bytes=0-0' },
        from: `127.0.1.${i + 1}`,
      });
    }),
  );

const repositoryThatFails: Trouble = (base, end) =>
  keepOn(end, async (turn) => ask(`${base}/broken/r${turn % 3}/manifests/${turn}`, { from: '127.0.2.1' }));

const blobWithoutEnd: Trouble = (base, end) =>
  keepOn(end, async (turn) =>
    ask(`${base}/endless/blob/blobs/${digestOf(Buffer.from(`endless ${turn}`))}`, {
      from: '127.0.2.2',
      discard: true,
      leaveAfter: 1024 * MiB,
    }),
  );

const drip: Trouble = async (base, end) => {
  const dripping = ask(`${base}/drip/layer/blobs/${digestOf(Buffer.from('drip'))}`, { from: '127.0.2.3' });
  await Promise.race([dripping, ended(end)]);
};

const listsOfManyTags: Trouble = (base, end) =>
  keepOn(end, async (turn) =>
    ask(`${base}/many/list${turn % 8}/tags/list?n=100&last=${turn}`, { from: '127.0.2.4' }),
  );

const wideManifests: Trouble = (base, end) =>
  keepOn(end, async (turn) => ask(`${base}/wide/image/manifests/${turn % 50}`, { from: '127.0.2.5' }));

async function ended(end: AbortSignal): Promise<void> {
  while (!end.aborted) await wait(50);
}

/** Opens connections until it gets no more, keeps them, and opens new ones for those that are closed. */
async function holdConnections(mirror: Larder, end: AbortSignal): Promise<void> {
  const [host = '', port = ''] = mirror.host.split(':');
  const open = new Set<ReturnType<typeof connect>>();
  while (!end.aborted) {
    while (open.size < 1_000) {
      const socket = connect({ host, port: Number(port), localAddress: '127.0.3.1' });
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
      socket.on('data', () => undefined);
      socket.write('GET /v2/ HTTP/1.1\r\nhost: larder\r\n\r\n');
    }
    await wait(200);
  }
  for (const socket of open) socket.destroy();
}

/** The least free space that was seen. */
async function leastFree(path: string, end: AbortSignal): Promise<number> {
  let least = Infinity;
  while (!end.aborted) {
    const { bavail, bsize } = await statfs(path);
    least = Math.min(least, bavail * bsize);
    await wait(20);
  }
  return least;
}

test.skipIf(!isMountable)(
  'whatever one client and one repository do, another client pulls, and what is hot stays',
  { timeout: 180_000 },
  async () => {
    await using device = await temporaryFileSystem('size=200m');
    await using registry = await hostileRegistry();
    const { good } = registry;
    const hot = imageOf(good, 'hot');
    const cold = Array.from({ length: COLD }, (_, i) => imageOf(good, `cold${i}`));
    await using mirror = await larder(
      {
        upstreams: { 'registry.example.test': { url: registry.url } },
        cache: { minFree: MIN_FREE },
        limits: { requests: 128, requestsPerClient: 64 },
        log: { level: 'error' },
      },
      { cacheDirectory: device.path },
    );
    const hotClient = '127.0.4.1';
    expectWhole(await pull(mirror, 'hot', hot, hotClient), hot);
    const asked = good.count({ repository: 'good/hot', kind: 'blob' });

    const statuses: string[] = [];
    const trouble = new AbortController();
    const free = leastFree(device.path, trouble.signal);
    const base = `${mirror.url}/v2/registry.example.test`;
    const troubles = [
      rangesOfLargeBlobs,
      repositoryThatFails,
      blobWithoutEnd,
      drip,
      listsOfManyTags,
      wideManifests,
    ].map((make) => make(base, trouble.signal).catch(() => undefined));
    troubles.push(holdConnections(mirror, trouble.signal));
    // Until it has really come: the lists are being sent, the connections are held.
    await wait(3_000);

    const alive: number[] = [];
    const health = keepOn(trouble.signal, async () => {
      alive.push(
        (await ask(`${mirror.url}/livez`, { from: '127.0.4.2' }).catch(() => ({ status: 0 }))).status,
      );
      await wait(100);
    });
    try {
      for (const [i, image] of cold.entries()) {
        expectWhole(await pull(mirror, `cold${i}`, image, '127.0.4.3'), image);
        const answers = await pull(mirror, 'hot', hot, hotClient);
        expectWhole(answers, hot);
        for (const { headers } of answers) statuses.push(String(headers['cache-status']));
        await wait(500);
      }
    } finally {
      trouble.abort();
    }
    await Promise.all([...troubles, health]);
    expect(statuses.filter((status) => !status.startsWith('larder; hit'))).toEqual([]);
    expect(good.count({ repository: 'good/hot', kind: 'blob' })).toBe(asked);
    expect(await free).toBeGreaterThanOrEqual(MIN_FREE - BETWEEN_LOOKS);
    expect(alive.length).toBeGreaterThan(10);
    expect(alive.filter((status) => status !== 200)).toEqual([]);
    const list = await ask(`${base}/many/list0/tags/list?n=2&last=zz`);
    expect(JSON.parse(list.body.toString())).toMatchObject({ tags: ['zz0', 'zz1'] });
  },
);
