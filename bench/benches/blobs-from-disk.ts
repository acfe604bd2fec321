import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { nginxOfFiles } from '../support/nginx.ts';
import { dropFromMemory } from '../support/page-cache.ts';
import { paired } from '../support/paired.ts';
import { usageOf } from '../support/proc.ts';
import { World } from '../support/world.ts';

const CLIENTS = 4;
const PLAN = {
  full: { rounds: 4, size: 120e6 },
  quick: { rounds: 2, size: 120e6 },
  smoke: { rounds: 1, size: 3e6 },
};

export const blobsFromDisk: Bench = {
  name: 'blobs-from-disk',
  title: `${CLIENTS} clients of ${CLIENTS} blobs of 120 MB that are in the cache, but not in memory`,
  metrics: {
    wall: { unit: 's', better: 'less' },
    CPU: { unit: 's/GB', better: 'less' },
  },
  goals: [],
  run: measureFromDisk,
};

async function measureFromDisk(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const { rounds, size } = byScale(context.scale, PLAN);
  const { directory } = context;
  const sizes = Array.from({ length: CLIENTS }, () => size);
  const { byTag, digest, layers } = await world.storage.putImage('team/large', '1', sizes);
  const larders = await world.larders();
  await expectContent(larders, byTag, digest);
  const contestants = [
    ...larders,
    ...(context.hasPeers ? [await world.upstream()] : []),
    ...(await world.peers(async () => nginxOfFiles('nginx sendfile', directory, world.storage.directory))),
  ];
  for (const layer of layers) await expectContent(contestants, layer.path, layer.digest);
  const fetcher = world.use(new Fetcher());
  return await paired(contestants, rounds, async (contestant) => {
    await dropFromMemory(directory.path);
    const before = await usageOf(contestant.pid);
    const { wallMs } = await fetcher.fetch(contestant, layers);
    const { cpuSeconds } = await usageOf(contestant.pid);
    return {
      wall: wallMs / 1000,
      CPU: (cpuSeconds - before.cpuSeconds) / ((CLIENTS * size) / 1e9),
    };
  });
}
