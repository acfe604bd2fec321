import { setTimeout as wait } from 'node:timers/promises';
import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { nginxCache } from '../support/nginx.ts';
import { paired } from '../support/paired.ts';
import { sentBytes } from '../support/proc.ts';
import { World } from '../support/world.ts';

const PLAN = {
  full: { rounds: 3, size: 120e6, clients: 50 },
  quick: { rounds: 1, size: 120e6, clients: 50 },
  smoke: { rounds: 1, size: 4e6, clients: 10 },
};
const NGINX = 'nginx proxy_cache with its lock';

export const stampede: Bench = {
  name: 'stampede',
  title: '50 clients at once, one cold blob of 120 MB',
  metrics: {
    wall: { unit: 's', better: 'less' },
    'upstream bytes': { unit: '× the blob', better: 'less' },
  },
  goals: [
    { metric: 'upstream bytes', atMost: 1.01 },
    { metric: 'wall', against: 'distribution proxy', atMost: 0.5 },
    { metric: 'wall', against: NGINX, atMost: 1 },
  ],
  run: measureStampede,
};

async function measureStampede(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const { rounds, size, clients } = byScale(context.scale, PLAN);
  const sizes = Array.from({ length: rounds }, () => size);
  const { byTag, digest, layers } = await world.storage.putImage('team/large', '1', sizes);
  const upstream = await world.upstream();
  const caches = [
    ...(await world.larders()),
    ...(await world.peers(
      async () => world.distributionProxy(),
      async () => nginxCache(NGINX, context.directory, upstream.url),
    )),
  ];
  await expectContent(caches, byTag, digest);
  const fetcher = world.use(new Fetcher());
  const samples = await paired(caches, rounds, async (contestant, round) => {
    const [layer] = layers.slice(round);
    if (layer === undefined) throw new Error('a round without a blob');
    const before = await settledBytes(upstream.pid);
    const { wallMs } = await fetcher.fetch(
      contestant,
      Array.from({ length: clients }, () => layer),
    );
    const sent = (await settledBytes(upstream.pid)) - before;
    return { wall: wallMs / 1000, 'upstream bytes': sent / layer.size };
  });
  for (const layer of layers) await expectContent(caches, layer.path, layer.digest);
  return samples;
}

/** Returns the bytes that a process has sent once it sends no more: a cache may go on fetching after its clients. */
async function settledBytes(pid: number): Promise<number> {
  let sent = await sentBytes(pid);
  for (;;) {
    await wait(200);
    const now = await sentBytes(pid);
    if (now === sent) return sent;
    sent = now;
  }
}
