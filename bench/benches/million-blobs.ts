import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../../test/support/e2e/http-client.ts';
import { byScale, type Bench, type BenchContext, type Samples, type Side } from '../support/bench.ts';
import { larder, startLarder, type StartingLarder } from '../support/larder.ts';
import type { Round } from '../support/paired.ts';
import { usageOf } from '../support/proc.ts';
import { run } from '../support/process.ts';
import type { StoredImage } from '../support/storage.ts';
import { World } from '../support/world.ts';
import { ACCEPT } from '../support/wrk.ts';

const MB = 1e6;
const PLAN = {
  full: { rounds: 3, blobs: 1_000_000, tags: 100_000, watchMs: 4000 },
  quick: { rounds: 3, blobs: 50_000, tags: 5_000, watchMs: 2000 },
  smoke: { rounds: 1, blobs: 2000, tags: 200, watchMs: 500 },
};

export const millionBlobs: Bench = {
  name: 'million-blobs',
  title: 'start with 1,000,000 blobs and 100,000 tags, to the first answered pull',
  metrics: {
    'first pull': { unit: 's', better: 'less' },
    RSS: { unit: 'MB', better: 'less' },
    lookup: { unit: 'ms', better: 'less', isInformation: true },
    'tags page': { unit: 'ms', better: 'less', isInformation: true },
    'catalog page': { unit: 'ms', better: 'less', isInformation: true },
    'eviction step': { unit: 'ms', better: 'less', isInformation: true },
  },
  goals: [
    { metric: 'first pull', atMost: 1 },
    { metric: 'RSS', atMost: 150 },
  ],
  run: measureStarts,
};

async function measureStarts(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const image = await world.storage.putImage('team/app', '1', [4096]);
  const caches = new Map<Side, string>();
  for (const side of context.sides) caches.set(side, await fillCache(world, side, image));
  const samples: Record<string, Record<string, number[]>> = {};
  const add = (name: string, round: Round): void => {
    for (const [metric, value] of Object.entries(round)) ((samples[metric] ??= {})[name] ??= []).push(value);
  };
  const { rounds } = byScale(context.scale, PLAN);
  for (let round = 0; round < rounds; round += 1) {
    for (const [side, cache] of caches) add(side.name, await startOnce(world, side, cache, image));
  }
  for (const [side, cache] of caches) add(side.name, await askIndex(context, side, cache));
  return samples;
}

/** Fills a cache with an image that was pulled, and with all the other blobs. @returns its directory */
async function fillCache(world: World, side: Side, image: StoredImage): Promise<string> {
  const { context } = world;
  const { blobs, tags } = byScale(context.scale, PLAN);
  const cacheDirectory = context.directory.at(`cache of ${side.name}`);
  const options = { directory: context.directory, upstream: (await world.upstream()).url, cacheDirectory };
  await using first = await larder(side, options);
  await pull(first.url, image);
  await first[Symbol.asyncDispose]();
  const startedAt = performance.now();
  const program = join(side.root, 'bench/support/fill-index-process.ts');
  await run(process.execPath, [program, side.root, cacheDirectory, String(blobs), String(tags)]);
  context.note(
    `${blobs} blobs and ${tags} tags made in ${Math.round((performance.now() - startedAt) / 1000)} s`,
  );
  return cacheDirectory;
}

/** Measures from the start of the process to the end of the first pull, and its memory in the seconds after that. */
async function startOnce(
  world: World,
  side: Side,
  cacheDirectory: string,
  image: StoredImage,
): Promise<Round> {
  const { directory, scale } = world.context;
  const { blobs, watchMs } = byScale(scale, PLAN);
  const upstream = (await world.upstream()).url;
  const startedAt = performance.now();
  const starting = await startLarder(side, { directory, upstream, cacheDirectory });
  await using running = starting.running;
  await pullFirst(starting, image);
  const firstPull = (performance.now() - startedAt) / 1000;
  let resident = 0;
  for (const end = performance.now() + watchMs; performance.now() < end; await wait(50)) {
    resident = Math.max(resident, (await usageOf(running.pid)).residentBytes);
  }
  await expectBlobs(starting.url, blobs);
  return { 'first pull': firstPull, RSS: resident / MB };
}

async function pullFirst({ url, running }: StartingLarder, image: StoredImage): Promise<void> {
  for (;;) {
    if (running.hasExited()) throw new Error(`larder did not start:\n${await running.output()}`);
    if (
      await ask(`${url}/livez`).then(
        ({ status }) => status === 200,
        () => false,
      )
    )
      break;
    await wait(2);
  }
  await pull(url, image);
}

async function pull(url: string, { byTag, digest, layers }: StoredImage): Promise<void> {
  const manifest = await ask(`${url}${byTag}`, { headers: { Accept: ACCEPT } });
  if (manifest.digest !== digest) throw new Error(`${byTag}: ${manifest.status}`);
  for (const layer of layers) {
    const blob = await ask(`${url}${layer.path}`);
    if (blob.digest !== layer.digest) throw new Error(`${layer.path}: ${blob.status}`);
  }
}

/** Reconciling runs in the background meanwhile, and must find index and disk in agreement. */
async function expectBlobs(url: string, blobs: number): Promise<void> {
  const text = (await ask(`${url}/metrics`)).body.toString('utf8');
  const known = Number(/^larder_store_blobs (\S+)$/m.exec(text)?.[1]);
  if (known < blobs) throw new Error(`of ${blobs} blobs ${known} are left`);
}

async function askIndex({ scale }: BenchContext, side: Side, cacheDirectory: string): Promise<Round> {
  const program = join(side.root, 'bench/support/index-figures-process.ts');
  const { tags } = byScale(scale, PLAN);
  const index = join(cacheDirectory, 'index.db');
  return JSON.parse(await run(process.execPath, [program, side.root, index, String(tags)])) as Round;
}
