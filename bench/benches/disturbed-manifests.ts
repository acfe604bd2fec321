import { ask } from '../../test/support/e2e/http-client.ts';
import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { paired, type Round } from '../support/paired.ts';
import type { Contestant } from '../support/server.ts';
import type { StoredBlob, StoredImage } from '../support/storage.ts';
import { World } from '../support/world.ts';
import { p99While, warmUp, wrk } from '../support/wrk.ts';

const CONNECTIONS = 32;
const AT_ONCE = 50;
const PLAN = {
  full: { rounds: 8, seconds: 2, size: 1e9, small: 2000 },
  quick: { rounds: 1, seconds: 1, size: 300e6, small: 300 },
  smoke: { rounds: 1, seconds: 1, size: 20e6, small: 40 },
};

export const disturbedManifests: Bench = {
  name: 'disturbed-manifests',
  title: 'p99 of warm manifests while a cold fill of 1 GB and an eviction run',
  metrics: {
    'p99 disturbed': { unit: 'ms', better: 'less' },
    // For the goal only: of two versions, the one that is better at rest would look worse.
    'p99, times the idle': { unit: '×', better: 'less', isInformation: true },
    'p99 idle': { unit: 'ms', better: 'less', isInformation: true },
    fill: { unit: 's', better: 'less', isInformation: true },
    evicted: { unit: 'MB', better: 'more', isInformation: true },
  },
  goals: [{ metric: 'p99, times the idle', atMost: 3 }],
  run: measureDisturbed,
};

interface Parts {
  readonly fetcher: Fetcher;
  readonly app: StoredImage;
  /** The blobs that fill the cache and are then evicted. */
  readonly small: readonly StoredBlob[];
  readonly seconds: number;
}

async function measureDisturbed(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const { rounds, seconds, size, small } = byScale(context.scale, PLAN);
  const app = await world.storage.putImage('team/app', '1', [4096]);
  // Together they are as large as the blob that needs their room.
  const smallSizes = Array.from({ length: small }, () => size / small);
  const many = await world.storage.putImage('team/many', '1', smallSizes);
  const largeSizes = Array.from({ length: rounds }, () => size);
  const large = await world.storage.putImage('team/large', '1', largeSizes);
  const larders = await world.larders({ cache: { maxSize: Math.round(1.2 * size) } });
  for (const { byTag, digest } of [app, many, large]) await expectContent(larders, byTag, digest);
  await warmUp(context, larders, { connections: CONNECTIONS, paths: [app.byTag] });
  const parts = { fetcher: world.use(new Fetcher()), app, small: many.layers, seconds };
  return await paired(larders, rounds, async (larder, round) => {
    const [blob] = large.layers.slice(round);
    if (blob === undefined) throw new Error('a round without a blob');
    return await disturb(larder, blob, parts);
  });
}

async function disturb(larder: Contestant, blob: StoredBlob, parts: Parts): Promise<Round> {
  const { fetcher, app, small, seconds } = parts;
  for (let i = 0; i < small.length; i += AT_ONCE) await fetcher.fetch(larder, small.slice(i, i + AT_ONCE));
  const load = { connections: CONNECTIONS, paths: [app.byTag] };
  const idle = await wrk(larder.url, { ...load, seconds });
  const before = await evictedBytes(larder);
  const fill = fetcher.fetch(larder, [blob]);
  const disturbedMs = await p99While(larder.url, load, fill);
  const { wallMs } = await fill;
  const evicted = (await evictedBytes(larder)) - before;
  if (evicted === 0) throw new Error('nothing was evicted meanwhile');
  return {
    'p99, times the idle': disturbedMs / idle.p99Ms,
    'p99 idle': idle.p99Ms,
    'p99 disturbed': disturbedMs,
    fill: wallMs / 1000,
    evicted: evicted / 1e6,
  };
}

async function evictedBytes({ url }: Contestant): Promise<number> {
  const text = (await ask(`${url}/metrics`)).body.toString('utf8');
  return Number(/^larder_evicted_bytes_total (\d+)$/m.exec(text)?.[1] ?? 0);
}
