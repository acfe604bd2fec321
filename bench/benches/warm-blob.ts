import { byScale, type Bench, type Samples, type BenchContext } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { countingClients, countingUnable } from '../support/counting-clients.ts';
import type { LarderOptions } from '../support/larder.ts';
import { nginxOfFiles } from '../support/nginx.ts';
import { paired, type Round } from '../support/paired.ts';
import { usageOf } from '../support/proc.ts';
import type { Contestant, Server } from '../support/server.ts';
import { World } from '../support/world.ts';
import { warmUp, wrk, type Load } from '../support/wrk.ts';

const CLIENTS = 4;
const GB = 1e9;
const PLAN = {
  full: { rounds: 5, seconds: 2, size: 120e6 },
  quick: { rounds: 3, seconds: 1, size: 120e6 },
  smoke: { rounds: 1, seconds: 1, size: 12e6 },
};
export const METRICS: Bench['metrics'] = {
  'CPU s/GB': { unit: 'CPU s/GB', better: 'less' },
  'GB/s': { unit: 'GB/s', better: 'more', isInformation: true },
};

export const warmBlob: Bench = {
  name: 'warm-blob',
  title: `warm blob of 120 MB, ${CLIENTS} clients`,
  metrics: METRICS,
  goals: [
    { metric: 'CPU s/GB', against: 'distribution', atMost: 0.45 },
    { metric: 'CPU s/GB', against: 'nginx sendfile', atMost: 1.6 },
  ],
  run: async (context) => measureBlob(context, {}, withOthers),
};

/** The program as it runs when koffi cannot be loaded. */
export const warmBlobByReading: Bench = {
  name: 'warm-blob-by-reading',
  title: `warm blob of 120 MB, ${CLIENTS} clients, without sendfile`,
  metrics: METRICS,
  goals: [{ metric: 'CPU s/GB', against: 'distribution', atMost: 0.95 }],
  run: async (context) => measureBlob(context, { delivery: 'read' }, async () => []),
};

/** What the server's own work costs, where no client copies a byte. */
export const warmBlobCounted: Bench = {
  name: 'warm-blob-counted',
  title: `warm blob of 120 MB, ${CLIENTS} clients that only count`,
  metrics: METRICS,
  goals: [
    { metric: 'CPU s/GB', against: 'distribution', atMost: 0.4 },
    { metric: 'CPU s/GB', against: 'nginx sendfile', atMost: 1.4 },
  ],
  async run(context) {
    const reason = await countingUnable();
    if (reason === undefined) return measureBlob(context, {}, withNginx, counting(context));
    context.note(`warm-blob-counted: skipped, ${reason}`);
    return {};
  },
};

/** Has clients ask for a blob, and returns the bytes that they received. */
type Receive = (url: string, load: Load) => Promise<number>;

const byWrk: Receive = async (url, load) => (await wrk(url, load)).bytes;

function counting({ directory }: BenchContext): Receive {
  return (url, load) => countingClients(directory, url, load);
}

async function withOthers(world: World): Promise<readonly Server[]> {
  return [...(await world.peers(async () => world.distribution3())), ...(await withNginx(world))];
}

async function withNginx(world: World): Promise<readonly Server[]> {
  const { directory } = world.context;
  return world.peers(async () => nginxOfFiles('nginx sendfile', directory, world.storage.directory));
}

/**
 * Measures a warm blob, beside distribution over the same storage; both by https if `options.tls` is set.
 * @param morePeers starts further contestants
 * @param receive the clients
 */
export async function measureBlob(
  context: BenchContext,
  options: Partial<LarderOptions>,
  morePeers: (world: World) => Promise<readonly Server[]>,
  receive = byWrk,
): Promise<Samples> {
  await using world = new World(context);
  const { rounds, seconds, size } = byScale(context.scale, PLAN);
  const { byTag, digest, layers } = await world.storage.putImage('team/large', '1', [size]);
  const [layer] = layers;
  if (layer === undefined) throw new Error('an image without a layer');
  const upstream = await world.upstream();
  const larders = await world.larders(options);
  await expectContent(larders, byTag, digest);
  const { tls } = options;
  const byTls = tls === undefined ? [] : await world.peers(async () => world.distributionByTls(tls));
  const byHttp = tls === undefined && context.hasPeers ? [upstream] : [];
  const servers = [...larders, ...byHttp, ...byTls, ...(await morePeers(world))];
  // The first check fills the caches, the second is served from them.
  await expectContent(servers, layer.path, layer.digest);
  await expectContent(servers, layer.path, layer.digest);
  const load = { connections: CLIENTS, paths: [layer.path] };
  await warmUp(context, servers, load);
  return await paired(servers, rounds, async (server) => costOf(server, { ...load, seconds }, receive));
}

async function costOf({ pid, url }: Contestant, load: Load, receive: Receive): Promise<Round> {
  const before = await usageOf(pid);
  const bytes = await receive(url, load);
  const after = await usageOf(pid);
  return {
    'CPU s/GB': (after.cpuSeconds - before.cpuSeconds) / (bytes / GB),
    'GB/s': bytes / GB / load.seconds,
  };
}
