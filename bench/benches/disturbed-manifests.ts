import { ask } from '../../test/support/e2e/http-client.ts';
import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { makeCertificate, type Certificate } from '../support/certificate.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { paired, type Round } from '../support/paired.ts';
import type { Contestant } from '../support/server.ts';
import type { StoredBlob, StoredImage } from '../support/storage.ts';
import { World } from '../support/world.ts';
import { latenciesWhile, p50Of, p99Of, warmUp, wrk, type Load } from '../support/wrk.ts';

const CONNECTIONS = 32;
const AT_ONCE = 50;
/** With this pause, all connections together ask 400 times a second. */
const PAUSE_MS = (1000 * CONNECTIONS) / 400;
const PLAN = {
  full: { rounds: 3, seconds: 2, size: 1e9, small: 2000 },
  quick: { rounds: 1, seconds: 1, size: 300e6, small: 300 },
  smoke: { rounds: 1, seconds: 1, size: 20e6, small: 40 },
};
// The ratios are for the goals only: of two versions, the one that is better at rest would look worse.
const METRICS: Bench['metrics'] = {
  'p50 disturbed': { unit: 'ms', better: 'less' },
  'p99 disturbed': { unit: 'ms', better: 'less' },
  'p50, times the idle': { unit: '×', better: 'less', isInformation: true },
  'p99, times the idle': { unit: '×', better: 'less', isInformation: true },
  'p50 idle': { unit: 'ms', better: 'less', isInformation: true },
  'p99 idle': { unit: 'ms', better: 'less', isInformation: true },
  fill: { unit: 's', better: 'less', isInformation: true },
};

export const disturbedManifests: Bench = {
  name: 'disturbed-manifests',
  title: 'p99 of warm manifests while a cold fill of 1 GB and an eviction run',
  metrics: { ...METRICS, evicted: { unit: 'MB', better: 'more', isInformation: true } },
  goals: [{ metric: 'p99, times the idle', atMost: 3 }],
  run: measureEvicting,
};

export const steadyManifests: Bench = {
  name: 'steady-manifests',
  title: 'warm manifests at 400/s while a cold fill of 1 GB runs',
  metrics: METRICS,
  goals: [{ metric: 'p50, times the idle', atMost: 2 }],
  isLeftOutOfSmoke: true,
  run: async (context) => measureSteady(context),
};

export const steadyManifestsByTls: Bench = {
  ...steadyManifests,
  name: 'steady-manifests-by-tls',
  title: 'warm manifests at 400/s while a cold fill of 1 GB runs, from an upstream by TLS',
  isLeftOutOfSmoke: false,
  run: async (context) => measureSteady(context, await makeCertificate(context.directory)),
};

async function measureEvicting(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const { rounds, seconds, size, small } = byScale(context.scale, PLAN);
  // Together they are as large as the blob that needs their room.
  const smallSizes = Array.from({ length: small }, () => size / small);
  const many = await world.storage.putImage('team/many', '1', smallSizes);
  const images = await putImages(world);
  const larders = await world.larders({ cache: { maxSize: Math.round(1.2 * size) } });
  const load = { connections: CONNECTIONS, paths: [images.app.byTag], seconds };
  await prepare(world, larders, [many, images.app, images.large], load);
  const fetcher = world.use(new Fetcher());
  return await paired(larders, rounds, async (larder, round) => {
    for (let i = 0; i < small; i += AT_ONCE) await fetcher.fetch(larder, many.layers.slice(i, i + AT_ONCE));
    const before = await evictedBytes(larder);
    const times = await disturb(larder, fetcher, blobOf(images.large, round), load);
    const evicted = (await evictedBytes(larder)) - before;
    if (evicted === 0) throw new Error('nothing was evicted meanwhile');
    return { ...times, evicted: evicted / 1e6 };
  });
}

async function measureSteady(context: BenchContext, tls?: Certificate): Promise<Samples> {
  await using world = new World(context, tls);
  const { rounds, seconds } = byScale(context.scale, PLAN);
  const { app, large } = await putImages(world);
  const larders = await world.larders();
  const load = { connections: CONNECTIONS, paths: [app.byTag], seconds, pauseMs: PAUSE_MS };
  await prepare(world, larders, [app, large], load);
  const fetcher = world.use(new Fetcher());
  return await paired(larders, rounds, async (larder, round) =>
    disturb(larder, fetcher, blobOf(large, round), load),
  );
}

interface Images {
  /** The image whose manifest is asked for. */
  readonly app: StoredImage;
  /** The image that has a blob to fetch for each round. */
  readonly large: StoredImage;
}

async function putImages({ storage, context }: World): Promise<Images> {
  const { rounds, size } = byScale(context.scale, PLAN);
  const sizes = Array.from({ length: rounds }, () => size);
  return {
    app: await storage.putImage('team/app', '1', [4096]),
    large: await storage.putImage('team/large', '1', sizes),
  };
}

async function prepare(
  { context }: World,
  larders: readonly Contestant[],
  images: readonly StoredImage[],
  load: Load,
): Promise<void> {
  for (const { byTag, digest } of images) await expectContent(larders, byTag, digest);
  await warmUp(context, larders, load);
}

function blobOf({ layers }: StoredImage, round: number): StoredBlob {
  const blob = layers[round];
  if (blob === undefined) throw new Error('a round without a blob');
  return blob;
}

/** Compares the times of answers while a blob is fetched with those before. */
async function disturb(larder: Contestant, fetcher: Fetcher, blob: StoredBlob, load: Load): Promise<Round> {
  const { latencies: idle } = await wrk(larder.url, load);
  const fill = fetcher.fetch(larder, [blob]);
  const disturbed = await latenciesWhile(larder.url, load, fill);
  const { wallMs } = await fill;
  return {
    'p50 disturbed': p50Of(disturbed),
    'p99 disturbed': p99Of(disturbed),
    'p50, times the idle': p50Of(disturbed) / p50Of(idle),
    'p99, times the idle': p99Of(disturbed) / p99Of(idle),
    'p50 idle': p50Of(idle),
    'p99 idle': p99Of(idle),
    fill: wallMs / 1000,
  };
}

async function evictedBytes({ url }: Contestant): Promise<number> {
  const text = (await ask(`${url}/metrics`)).body.toString('utf8');
  return Number(/^larder_evicted_bytes_total (\d+)$/m.exec(text)?.[1] ?? 0);
}
