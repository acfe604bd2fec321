import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { until } from '../support/e2e/until.ts';
import { startFakeRegistry, type FakeRegistry } from '../support/fake-registry.ts';
import { open } from '../support/http-get.ts';
import { Random } from '../support/random.ts';
import {
  cutAfter,
  flip,
  instead,
  longBody,
  registryError,
  resetBeforeHeaders,
  shortBody,
  status,
  type Fault,
} from '../support/scripted-reply.ts';
import { pull, putImages, type Verdict, type Wanted } from '../support/workload.ts';

const SECONDS = Number(process.env['LARDER_SOAK_SECONDS'] ?? 120);
const SEED = Number(process.env['LARDER_SEED'] ?? 1);
const CLIENTS = 16;
const MiB = 1024 * 1024;
/** A working set of about 60 MB; the cache may hold a tenth of it. */
const SIZES = Array.from({ length: 60 }, (_, i) => 1 + i * 35_000);
const MAX_SIZE = 6 * MiB;
/** What memory may grow by between the first quarter and the end: buffers in flight, not a leak. */
const GROWTH = 100 * MiB;

const FAULTS: readonly ((random: Random) => Fault)[] = [
  (random) => cutAfter(random.between(0, 2 * MiB)),
  () => resetBeforeHeaders(),
  () => flip(),
  () => shortBody(),
  () => longBody(),
  () => instead(status(503)),
  () => instead(registryError(429, 'TOOMANYREQUESTS', { headers: { 'retry-after': '1' } })),
];

test(
  `${SECONDS} s of random clients and faults with eviction running`,
  { timeout: (SECONDS + 120) * 1000 },
  async () => {
    const random = new Random(SEED);
    await using registry = await startFakeRegistry();
    const wanted = putImages(registry, random, SIZES);
    await using mirror = await larder({
      upstreams: { 'registry.test:5000': { url: registry.url.href.replace(/\/$/, '') } },
      cache: { maxSize: MAX_SIZE, minFree: 0 },
      tags: { ttl: '2s', deadline: '500ms' },
      negativeTtl: '1s',
      log: { level: 'warn' },
    });
    const verdicts: Record<Verdict | 'left', number> = { right: 0, cut: 0, refused: 0, wrong: 0, left: 0 };
    const end = performance.now() + SECONDS * 1000;
    const early = memoryAt(mirror, SECONDS / 4);
    const trouble = makeTrouble(registry, random, end);
    await Promise.all(Array.from({ length: CLIENTS }, () => client(mirror, wanted, random, verdicts, end)));
    await trouble;
    const metrics = await settled(mirror);
    const [before, after] = [await early, metrics.get('process_resident_memory_bytes') ?? 0];
    console.log(
      `soak: ${SECONDS} s (seed ${SEED}), pulls ${JSON.stringify(verdicts)}, ` +
        `memory ${toMiB(before)} MiB after a quarter, ${toMiB(after)} MiB at the end, ` +
        `stored ${toMiB(metrics.get('larder_store_bytes') ?? 0)} of ${toMiB(MAX_SIZE)} MiB`,
    );
    expect(verdicts.wrong).toBe(0);
    expect(verdicts.right).toBeGreaterThan(SECONDS);
    expect(metrics.get('larder_store_bytes')).toBeLessThanOrEqual(MAX_SIZE);
    expect(after).toBeLessThan(before + GROWTH);
    expect(await readdir(join(mirror.cacheDirectory, 'ingest'))).toEqual([]);
  },
);

async function client(
  mirror: Larder,
  wanted: readonly Wanted[],
  random: Random,
  verdicts: Record<Verdict | 'left', number>,
  end: number,
): Promise<void> {
  while (performance.now() < end) {
    // A few images are hot, as they are in life.
    const item = random.next() < 0.5 ? random.pick(wanted.slice(0, 20)) : random.pick(wanted);
    if (random.next() < 0.1) {
      await leaveEarly(mirror, item);
      verdicts.left += 1;
    } else {
      verdicts[await pull(new URL(mirror.url), item, random)] += 1;
    }
  }
}

/** A client that goes once it has had a little. */
async function leaveEarly(mirror: Larder, item: Wanted): Promise<void> {
  const incoming = await open(new URL(mirror.url), item.path).catch(() => undefined);
  incoming?.on('error', () => undefined);
  incoming?.destroy();
}

/** Faults that come and go: on one kind of request at a time, for a number of requests. */
async function makeTrouble(registry: FakeRegistry, random: Random, end: number): Promise<void> {
  while (performance.now() < end) {
    const kind = random.pick(['manifest', 'blob', 'blob', 'blob'] as const);
    const times = random.between(1, 5);
    const before = registry.requests.length;
    const stop = registry.fault({ kind, times }, random.pick(FAULTS)(random));
    const enough = before + random.between(5, 40);
    await until(
      'upstream is asked',
      () => registry.requests.length >= enough || performance.now() > end || undefined,
      SECONDS * 1000,
    );
    stop();
  }
}

async function memoryAt(mirror: Larder, seconds: number): Promise<number> {
  const at = performance.now() + seconds * 1000;
  await until('a quarter is over', () => performance.now() > at || undefined, (seconds + 30) * 1000);
  return (await mirror.metrics()).get('process_resident_memory_bytes') ?? 0;
}

/** The metrics once nothing runs any more: no flight, no more descriptors than at rest, the cap held. */
async function settled(mirror: Larder): Promise<ReadonlyMap<string, number>> {
  return until('everything has come to rest', async () => {
    const metrics = await mirror.metrics();
    const hasEnded =
      metrics.get('larder_fills') === 0 &&
      (await readdir(join(mirror.cacheDirectory, 'ingest'))).length === 0;
    const fits = (metrics.get('larder_store_bytes') ?? 0) <= MAX_SIZE;
    const descriptors = await readdir(`/proc/${mirror.process.pid}/fd`);
    return hasEnded && fits && descriptors.length < 60 ? metrics : undefined;
  });
}

function toMiB(bytes: number): number {
  return Math.round(bytes / MiB);
}
