import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ApiClient } from '../../src/api/client/api-client.ts';
import { httpTransport } from '../../src/api/client/http-transport.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { freePort } from '../support/e2e/port.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { startFakeRegistry, type FakeRegistry } from '../support/fake-registry.ts';
import { Random } from '../support/random.ts';
import { pull, pullAndTell, putImages, type Wanted } from '../support/workload.ts';

const ROUNDS = Number(process.env['LARDER_CRASH_ROUNDS'] ?? 50);
const SEED = Number(process.env['LARDER_SEED'] ?? 1);
const CLIENTS = 8;
/** The moment of the kill is drawn from the time that a round's whole load takes here, roughly. */
const LONGEST_LIFE_MS = 600;
const SIZES = [0, 1, 1_000, 65_536, 65_537, 300_000, 1_000_000, 3_000_000, 8_000_000];

/**
 * What was published before a kill, and must not be lost: what clients have had from the cache, manifests that they have
 * had at all, and what `larder ls` has shown. A client has the last byte of a blob before that is published.
 */
type Published = Set<Wanted>;

/** Parts of each image of the load: its manifest, its config and one layer. */
const PARTS = 3;

test(
  `${ROUNDS} kills under load: nothing wrong is served, nothing published is lost`,
  { timeout: ROUNDS * 20_000 },
  async () => {
    const random = new Random(SEED);
    await using registry = await startFakeRegistry();
    await using directory = await temporaryDirectory('crash');
    const host = `127.0.0.1:${await freePort()}`;
    const start = (): Promise<Larder> =>
      larder(
        {
          upstreams: { 'registry.test:5000': { url: registry.url.href.replace(/\/$/, '') } },
          tags: { ttl: '1d' },
        },
        { cacheDirectory: directory.path, host },
      );
    const published: Published = new Set();
    let found = 0;
    const counts = { right: 0, cut: 0, refused: 0, wrong: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const sizes = SIZES.map((size) => size + round);
      const wanted = putImages(registry, random, sizes, `round${round}`);
      const mirror = await start();
      const stopLoad = load(mirror, wanted, random, counts, published);
      const stopListing = list(directory.path, wanted, published);
      await wait(random.between(0, LONGEST_LIFE_MS));
      mirror.process.kill('SIGKILL');
      await mirror.process.exited;
      await Promise.all([stopLoad(), stopListing()]);
      found += published.size;
      await expectSound(directory.path, start, registry, published);
    }
    console.log(
      `crash: ${ROUNDS} kills (seed ${SEED}), pulls ${JSON.stringify(counts)}, of ${found} published all were found`,
    );
    expect(counts.wrong).toBe(0);
    expect(counts.right).toBeGreaterThan(ROUNDS);
  },
);

/** Clients that pull one thing after another; @returns a function that ends them. */
function load(
  mirror: Larder,
  wanted: readonly Wanted[],
  random: Random,
  counts: Record<string, number>,
  published: Published,
): () => Promise<void> {
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const item = random.pick(wanted);
      const { verdict, isHit } = await pullAndTell(new URL(mirror.url), item);
      counts[verdict] = (counts[verdict] ?? 0) + 1;
      if (verdict === 'right' && (isHit || item.kind === 'manifest')) published.add(item);
      if (verdict === 'refused') isOver = true;
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return async () => {
    isOver = true;
    await Promise.all(clients);
  };
}

/** An operator who lists the repositories again and again; @returns a function that ends that. */
function list(directory: string, wanted: readonly Wanted[], published: Published): () => Promise<void> {
  const client = new ApiClient(httpTransport({ socketPath: join(directory, 'control.sock') }));
  const over = new AbortController();
  const listing = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      const listed = await client.call('repositories', { query: {} }).catch(() => undefined);
      const whole = (listed?.repositories ?? [])
        .filter(({ blobs }) => blobs === PARTS)
        .map(({ repository }) => repository);
      for (const item of wanted) if (whole.some((name) => isOf(item, name))) published.add(item);
      await wait(10);
    }
  })();
  return async () => {
    over.abort();
    await listing;
  };
}

/**
 * Whether the item is content of the repository. A tag is none: all content may be stored before the tag is known.
 * @param name `upstream/repository`
 */
function isOf({ path, digest }: Wanted, name: string): boolean {
  return path.startsWith(`/v2${name.slice(name.indexOf('/'))}/`) && path.endsWith(digest);
}

/** After a restart, without upstream: what was published is there and right; what was not has left nothing. */
async function expectSound(
  directory: string,
  start: () => Promise<Larder>,
  registry: FakeRegistry,
  published: Published,
): Promise<void> {
  const before = await readdir(join(directory, 'blobs/sha256'));
  await using mirror = await start();
  expect(await readdir(join(directory, 'ingest'))).toEqual([]);
  registry.down();
  for (const item of published) {
    expect([item.path, await pull(new URL(mirror.url), item)]).toEqual([item.path, 'right']);
  }
  registry.up();
  const files = await readdir(join(directory, 'blobs/sha256'));
  expect(files).toEqual(expect.arrayContaining(before));
  for (const file of files) {
    const bytes = await readFile(join(directory, 'blobs/sha256', file));
    expect(digestOf(bytes)).toBe(`sha256:${file}`);
  }
  // What has been found whole once need not be read again after every kill to come.
  published.clear();
}
