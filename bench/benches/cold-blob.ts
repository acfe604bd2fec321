import { byScale, type Bench, type BenchContext, type Goal, type Samples } from '../support/bench.ts';
import { makeCertificate } from '../support/certificate.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { paired } from '../support/paired.ts';
import { usageAtRest, usageOf } from '../support/proc.ts';
import { World } from '../support/world.ts';

const PLAN = {
  full: { rounds: 6, size: 120e6, blobs: 1 },
  quick: { rounds: 3, size: 120e6, blobs: 1 },
  smoke: { rounds: 1, size: 6e6, blobs: 1 },
};
export const COLD_METRICS: Bench['metrics'] = {
  wall: { unit: 's', better: 'less' },
  CPU: { unit: 's/GB', better: 'less' },
};
const GOALS: readonly Goal[] = [
  { metric: 'wall', against: 'limit', atMost: 1.25 },
  { metric: 'wall', against: 'distribution 3 proxy', atMost: 0.6 },
  { metric: 'CPU', against: 'limit', atMost: 1.4 },
  { metric: 'CPU', against: 'distribution proxy', atMost: 0.7 },
];

export const coldBlob: Bench = {
  name: 'cold-blob',
  title: 'cold blob of 120 MB, one client',
  metrics: COLD_METRICS,
  goals: GOALS,
  isLeftOutOfSmoke: true,
  run: async (context) => measureCold(context, false, byScale(context.scale, PLAN)),
};

export const coldBlobByTls: Bench = {
  name: 'cold-blob-by-tls',
  title: 'cold blob of 120 MB, one client, from an upstream by TLS',
  metrics: COLD_METRICS,
  goals: [...GOALS, { metric: 'wall', against: 'distribution proxy', atMost: 0.95 }],
  run: async (context) => measureCold(context, true, byScale(context.scale, PLAN)),
};

export interface ColdPlan {
  readonly rounds: number;
  readonly size: number;
  /** How many different blobs are asked for at once, each by a client of its own. */
  readonly blobs: number;
}

/** Measures blobs that no cache has seen, beside the limit and distribution. @param isSecured whether the upstream speaks https */
export async function measureCold(
  context: BenchContext,
  isSecured: boolean,
  { rounds, size, blobs }: ColdPlan,
): Promise<Samples> {
  await using world = new World(context, isSecured ? await makeCertificate(context.directory) : undefined);
  // The last one is for the warm-up.
  const sizes = Array.from({ length: rounds * blobs + 1 }, () => size);
  const { byTag, digest, layers } = await world.storage.putImage('team/large', '1', sizes);
  const caches = [
    ...(await world.larders()),
    ...(await world.peers(
      async () => world.distributionProxy(),
      async () => world.distribution3Proxy(),
    )),
  ];
  await expectContent(caches, byTag, digest);
  const limits = await world.peers(
    async () => world.limit(),
    async () => world.limit({ syncs: true }),
  );
  const contestants = [...caches, ...limits];
  const fetcher = world.use(new Fetcher());
  for (const contestant of contestants) await fetcher.fetch(contestant, layers.slice(-1));
  const samples = await paired(contestants, rounds, async (contestant, round) => {
    const before = await usageOf(contestant.pid);
    const { wallMs } = await fetcher.fetch(contestant, layers.slice(round * blobs, (round + 1) * blobs));
    const { cpuSeconds } = await usageAtRest(contestant.pid);
    return { wall: wallMs / 1000, CPU: (cpuSeconds - before.cpuSeconds) / ((blobs * size) / 1e9) };
  });
  for (const layer of layers) await expectContent(contestants, layer.path, layer.digest);
  return samples;
}
