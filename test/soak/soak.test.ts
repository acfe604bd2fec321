import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connectInspector, INSPECTED, type Inspector } from '../support/e2e/inspector.ts';
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
/**
 * What may lie there beyond the cap: a blob for each client, being written or, while it is read, not to be evicted. There
 * may be more for a moment, since nobody waits for eviction, and since it rests after it found everything in use.
 */
const IN_FLIGHT = CLIENTS * Math.max(...SIZES);
/**
 * How much more may be in use, once garbage is collected, in the last third of the time after the warm-up than in the
 * first. The memory of the process does not tell a leak: it grows in steps, such as the one before V8's first full
 * collection, and they come later on a slower machine.
 */
const GROWTH = 4 * MiB;
/** The memory of the process, with garbage, free pages and what native code allocates: it has about 200 to 300 MiB. */
const MAX_MEMORY = 400 * MiB;
const MOMENT_SECONDS = 2;
const SAMPLE_MS = 100;
/** Until the caches are full and the code is compiled. */
const WARM_UP_SECONDS = SECONDS / 2;
/** How often garbage is collected after that. */
const COLLECT_MS = (SECONDS * 1000) / 60;

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
    await using mirror = await startMirror(registry);
    using inspector = await connectInspector(mirror.process);
    const verdicts: Record<Verdict | 'left', number> = { right: 0, cut: 0, refused: 0, wrong: 0, left: 0 };
    const end = performance.now() + SECONDS * 1000;
    const sampled = sample(mirror, end);
    const collected = collect(inspector, end);
    const trouble = makeTrouble(registry, random, end);
    await Promise.all(Array.from({ length: CLIENTS }, () => client(mirror, wanted, random, verdicts, end)));
    await trouble;
    const samples = await sampled;
    const metrics = await settled(mirror);
    const inUse = await collected;
    const third = Math.floor(inUse.length / 3);
    // The least of each third, since buffers in flight come and go.
    const [before, after] = [Math.min(...inUse.slice(0, third)), Math.min(...inUse.slice(-third))];
    const mostMemory = Math.max(...samples.map(({ memory }) => memory));
    const usual = medianOf('stored')(samples);
    const mostStored = Math.max(...samples.map(({ stored }) => stored));
    const secondsOver = longestOver(samples, MAX_SIZE + IN_FLIGHT);
    const mostInAll = Math.max(...samples.map(({ stored, ingests }) => stored + ingests));
    console.log(
      `soak: ${SECONDS} s (seed ${SEED}), pulls ${JSON.stringify(verdicts)}, ` +
        `in use ${toMiB(before)} MiB once warm, ${toMiB(after)} MiB at the end (${inUse.length} collections), ` +
        `memory ${toMiB(mostMemory)} MiB at most, ` +
        `cap ${toMiB(MAX_SIZE)} MiB, on the disk ${toMiB(usual)} MiB of blobs in the median, ${toMiB(mostStored)} MiB at most, ` +
        `${toMiB(mostInAll)} MiB with what is being written (${samples.length} samples), ` +
        `for ${secondsOver.toFixed(1)} s on end more than ${toMiB(MAX_SIZE + IN_FLIGHT)} MiB, ` +
        `${toMiB(metrics.get('larder_store_bytes') ?? 0)} MiB at rest`,
    );
    expect(verdicts.wrong).toBe(0);
    expect(verdicts.right).toBeGreaterThan(SECONDS);
    expect(metrics.get('larder_store_bytes')).toBeLessThanOrEqual(MAX_SIZE);
    expect((await bytesIn(mirror)).stored).toBe(metrics.get('larder_store_bytes'));
    expect(samples.length).toBeGreaterThan(SECONDS);
    expect(usual).toBeLessThanOrEqual(MAX_SIZE);
    expect(secondsOver).toBeLessThan(MOMENT_SECONDS);
    expect(third).toBeGreaterThan(0);
    expect(after).toBeLessThan(before + GROWTH);
    expect(mostMemory).toBeLessThan(MAX_MEMORY);
    expect(await readdir(join(mirror.cacheDirectory, 'ingest'))).toEqual([]);
  },
);

async function startMirror(registry: FakeRegistry): Promise<Larder> {
  return larder(
    {
      upstreams: { 'registry.test:5000': { url: registry.url.href.replace(/\/$/, '') } },
      cache: { maxSize: MAX_SIZE, minFree: 0 },
      tags: { ttl: '2s', deadline: '500ms' },
      negativeTtl: '1s',
      log: { level: 'warn' },
    },
    { env: { NODE_OPTIONS: INSPECTED } },
  );
}

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

/** What the process and its directory have at one moment, in bytes. */
interface Sample {
  /** Since the beginning. */
  readonly seconds: number;
  readonly memory: number;
  /** Published. */
  readonly stored: number;
  /** Being written. */
  readonly ingests: number;
}

/** Looks at the process and at the directory itself, again and again, until `end`. */
async function sample(mirror: Larder, end: number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const startedAt = performance.now();
  for await (const _ of setInterval(SAMPLE_MS)) {
    if (performance.now() > end) break;
    const seconds = (performance.now() - startedAt) / 1000;
    samples.push({ seconds, memory: await memoryOf(mirror), ...(await bytesIn(mirror)) });
  }
  return samples;
}

/** Has garbage collected again and again, from the warm-up's end until `end`. @returns the bytes in use each time */
async function collect(inspector: Inspector, end: number): Promise<readonly number[]> {
  const inUse: number[] = [];
  const start = end - (SECONDS - WARM_UP_SECONDS) * 1000;
  for await (const _ of setInterval(COLLECT_MS)) {
    const now = performance.now();
    if (now > end) break;
    if (now >= start) inUse.push(await inspector.collect());
  }
  return inUse;
}

async function memoryOf({ process }: Larder): Promise<number> {
  const status = await readFile(`/proc/${process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function medianOf(figure: keyof Sample): (samples: readonly Sample[]) => number {
  return (samples) => {
    const sorted = samples.map((sample) => sample[figure]).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
}

/** For how many seconds on end there was more than `limit`, at most. */
function longestOver(samples: readonly Sample[], limit: number): number {
  let longest = 0;
  let since: number | undefined;
  for (const { seconds, stored, ingests } of samples) {
    if (stored + ingests > limit) longest = Math.max(longest, seconds - (since ??= seconds));
    else since = undefined;
  }
  return longest;
}

async function bytesIn({ cacheDirectory }: Larder): Promise<Pick<Sample, 'stored' | 'ingests'>> {
  // In the order in which bytes move, so that what moves meanwhile is counted twice rather than not at all.
  const ingests = await bytesUnder(join(cacheDirectory, 'ingest'));
  return { ingests, stored: await bytesUnder(join(cacheDirectory, 'blobs')) };
}

/** Of what is there: a file may go between its name and its size. */
async function bytesUnder(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
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
