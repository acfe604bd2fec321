import { setTimeout as wait } from 'node:timers/promises';
import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { paired, type Round } from '../support/paired.ts';
import { usageOf } from '../support/proc.ts';
import type { Contestant } from '../support/server.ts';
import { median } from '../support/statistics.ts';
import type { StoredBlob } from '../support/storage.ts';
import { World } from '../support/world.ts';

const MB = 1e6;
const RATE = 1 * MB;
const BLOBS = 10;
const PLAN = {
  full: { seconds: 60, clients: 500, size: 120 * MB },
  quick: { seconds: 15, clients: 500, size: 120 * MB },
  smoke: { seconds: 3, clients: 50, size: 12 * MB },
};

export const slowReaders: Bench = {
  name: 'slow-readers',
  title: '500 clients of warm blobs of 120 MB at 1 MB/s each, for a minute',
  metrics: {
    RSS: { unit: 'MB', better: 'less' },
    growth: { unit: 'MB', better: 'less', isInformation: true },
    'a client': { unit: 'MB/s', better: 'more', isInformation: true },
    CPU: { unit: 'cores', better: 'less', isInformation: true },
  },
  // Flat: from the second to the last quarter of the time, memory grows by less than it varies anyway.
  goals: [
    { metric: 'RSS', atMost: 250 },
    { metric: 'growth', atMost: 10 },
  ],
  run: measureSlowReaders,
};

async function measureSlowReaders(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const { seconds, clients, size } = byScale(context.scale, PLAN);
  const sizes = Array.from({ length: BLOBS }, () => size);
  const { byTag, digest, layers } = await world.storage.putImage('team/large', '1', sizes);
  const larders = await world.larders();
  await expectContent(larders, byTag, digest);
  for (const layer of layers) await expectContent(larders, layer.path, layer.digest);
  const fetcher = world.use(new Fetcher());
  const each = Array.from({ length: clients }, (_, i) => layers[i % BLOBS]);
  const blobs = each.filter((blob) => blob !== undefined);
  return await paired(larders, 1, async (larder) => watch(larder, fetcher, blobs, seconds));
}

async function watch(
  larder: Contestant,
  fetcher: Fetcher,
  blobs: readonly StoredBlob[],
  seconds: number,
): Promise<Round> {
  const before = await usageOf(larder.pid);
  await fetcher.hold(larder, blobs, RATE);
  const startedAt = performance.now();
  const resident: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    await wait(1000);
    resident.push((await usageOf(larder.pid)).residentBytes / MB);
  }
  const { cpuSeconds } = await usageOf(larder.pid);
  const read = await fetcher.release();
  const elapsed = (performance.now() - startedAt) / 1000;
  const least = Math.min(...read) / elapsed;
  if (least < RATE / 2) throw new Error(`a client has read ${Math.round(least)} bytes/s of ${RATE}`);
  const quarter = Math.floor(seconds / 4);
  return {
    RSS: Math.max(...resident),
    growth: median(resident.slice(-Math.max(1, quarter))) - median(resident.slice(quarter, 2 * quarter + 1)),
    'a client': median(read) / MB / elapsed,
    CPU: (cpuSeconds - before.cpuSeconds) / elapsed,
  };
}
