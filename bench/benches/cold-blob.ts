import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { paired } from '../support/paired.ts';
import { usageOf } from '../support/proc.ts';
import { World } from '../support/world.ts';

const DIRECT = 'direct download';
const PLAN = {
  full: { rounds: 9, size: 120e6 },
  quick: { rounds: 3, size: 120e6 },
  smoke: { rounds: 1, size: 12e6 },
};

export const coldBlob: Bench = {
  name: 'cold-blob',
  title: 'cold blob of 120 MB, one client',
  metrics: {
    wall: { unit: 's', better: 'less' },
    CPU: { unit: 's/GB', better: 'less' },
  },
  goals: [{ metric: 'wall', against: DIRECT, atMost: 1.25 }],
  run: measureColdBlob,
};

async function measureColdBlob(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const { rounds, size } = byScale(context.scale, PLAN);
  // Each round, and the warm-up, has a blob that no cache has seen.
  const sizes = Array.from({ length: rounds + 1 }, () => size);
  const { byTag, digest, layers } = await world.storage.putImage('team/large', '1', sizes);
  const caches = [...(await world.larders()), ...(await world.peers(async () => world.distributionProxy()))];
  await expectContent(caches, byTag, digest);
  const direct = context.hasPeers ? [{ ...(await world.upstream()), name: DIRECT }] : [];
  const contestants = [...direct, ...caches];
  const fetcher = world.use(new Fetcher());
  for (const contestant of contestants) await fetcher.fetch(contestant, layers.slice(rounds));
  const samples = await paired(contestants, rounds, async (contestant, round) => {
    const before = await usageOf(contestant.pid);
    const { wallMs } = await fetcher.fetch(contestant, layers.slice(round, round + 1));
    const { cpuSeconds } = await usageOf(contestant.pid);
    return { wall: wallMs / 1000, CPU: (cpuSeconds - before.cpuSeconds) / (size / 1e9) };
  });
  for (const layer of layers) await expectContent(caches, layer.path, layer.digest);
  return samples;
}
