import { setTimeout as wait } from 'node:timers/promises';
import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { makeCertificate, type Certificate } from '../support/certificate.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { nginxOfFiles } from '../support/nginx.ts';
import { paired, type Round } from '../support/paired.ts';
import { usageOf } from '../support/proc.ts';
import type { Contestant } from '../support/server.ts';
import type { StoredBlob } from '../support/storage.ts';
import { World } from '../support/world.ts';

const MB = 1e6;
const WARM_UP = 4;
const RATE = 3 * MB;
const SAMPLE_MS = 250;
const PLAN = {
  full: { rounds: 2, size: 15 * MB, fills: 32 },
  quick: { rounds: 1, size: 15 * MB, fills: 32 },
  smoke: { rounds: 1, size: 3 * MB, fills: 8 },
};

export const manySlowFills: Bench = {
  name: 'many-slow-fills',
  title: '32 fills at once, of 3 MB/s each',
  metrics: {
    CPU: { unit: 'cores', better: 'less' },
    'memory a fill': { unit: 'MB', better: 'less' },
  },
  goals: [
    { metric: 'CPU', atMost: 0.25 },
    { metric: 'memory a fill', atMost: 2 },
  ],
  isLeftOutOfSmoke: true,
  run: async (context) => measureFills(context),
};

export const manySlowFillsByTls: Bench = {
  ...manySlowFills,
  name: 'many-slow-fills-by-tls',
  title: '32 fills at once, of 3 MB/s each, from an upstream by TLS',
  goals: [
    { metric: 'CPU', atMost: 0.55 },
    { metric: 'memory a fill', atMost: 2 },
  ],
  isLeftOutOfSmoke: false,
  run: async (context) => measureFills(context, await makeCertificate(context.directory)),
};

async function measureFills(context: BenchContext, tls?: Certificate): Promise<Samples> {
  await using world = new World(context, tls);
  const { rounds, size, fills } = byScale(context.scale, PLAN);
  // The last ones are for the warm-up.
  const measured = rounds * fills;
  const sizes = Array.from({ length: measured + WARM_UP }, (_, i) => (i < measured ? size : MB));
  const { layers } = await world.storage.putImage('team/many', '1', sizes);
  const serving = { tls, bytesPerSecond: RATE };
  const slow = world.use(await nginxOfFiles('upstream', context.directory, world.storage.directory, serving));
  const contestants = [
    ...(await world.larders({ upstream: slow.url })),
    ...(await world.peers(async () => world.limit({ upstream: slow }))),
  ];
  const fetcher = world.use(new Fetcher());
  for (const contestant of contestants) await fetcher.fetch(contestant, layers.slice(-WARM_UP));
  const samples = await paired(contestants, rounds, async (contestant, round) =>
    watch(contestant, fetcher, layers.slice(round * fills, (round + 1) * fills)),
  );
  for (const { path, digest } of layers) await expectContent(contestants, path, digest);
  return samples;
}

async function watch(contestant: Contestant, fetcher: Fetcher, blobs: readonly StoredBlob[]): Promise<Round> {
  const before = await usageOf(contestant.pid);
  const startedAt = performance.now();
  const fills = fetcher.fetch(contestant, blobs);
  const over = fills.then(
    () => true,
    () => true,
  );
  let residentBytes = before.residentBytes;
  do residentBytes = Math.max(residentBytes, (await usageOf(contestant.pid)).residentBytes);
  while (!(await Promise.race([over, wait(SAMPLE_MS, false)])));
  await fills;
  const { cpuSeconds } = await usageOf(contestant.pid);
  return {
    CPU: (cpuSeconds - before.cpuSeconds) / ((performance.now() - startedAt) / 1000),
    'memory a fill': (residentBytes - before.residentBytes) / MB / blobs.length,
  };
}
