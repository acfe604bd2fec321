import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { nginxCache } from '../support/nginx.ts';
import { paired } from '../support/paired.ts';
import { World } from '../support/world.ts';

const NGINX = 'nginx proxy_cache';
const PLAN = {
  full: { rounds: 5, size: 10e6, blobs: 50 },
  quick: { rounds: 2, size: 4e6, blobs: 50 },
  smoke: { rounds: 1, size: 1e6, blobs: 50 },
};

export const coldBlobsAtOnce: Bench = {
  name: 'cold-blobs-at-once',
  title: '50 different cold blobs of 10 MB at once',
  metrics: { wall: { unit: 's', better: 'less' } },
  goals: [{ metric: 'wall', against: NGINX, atMost: 1.2 }],
  run: measureColdBlobs,
};

async function measureColdBlobs(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const { rounds, size, blobs } = byScale(context.scale, PLAN);
  const sizes = Array.from({ length: rounds * blobs }, () => size);
  const { byTag, digest, layers } = await world.storage.putImage('team/many', '1', sizes);
  const upstream = await world.upstream();
  const caches = [
    ...(await world.larders()),
    ...(await world.peers(async () => nginxCache(NGINX, context.directory, upstream.url))),
  ];
  await expectContent(caches, byTag, digest);
  const fetcher = world.use(new Fetcher());
  const samples = await paired(caches, rounds, async (contestant, round) => {
    const { wallMs } = await fetcher.fetch(contestant, layers.slice(round * blobs, (round + 1) * blobs));
    return { wall: wallMs / 1000 };
  });
  for (const layer of layers) await expectContent(caches, layer.path, layer.digest);
  return samples;
}
