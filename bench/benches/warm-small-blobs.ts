import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { LOAD_METRICS, loadRound } from '../support/load-round.ts';
import { paired } from '../support/paired.ts';
import { World } from '../support/world.ts';
import { warmUp } from '../support/wrk.ts';

const CONNECTIONS = 32;
const SIZE = 4096;
const PLAN = {
  full: { rounds: 5, seconds: 2, blobs: 500 },
  quick: { rounds: 3, seconds: 1, blobs: 100 },
  smoke: { rounds: 1, seconds: 1, blobs: 10 },
};

export const warmSmallBlobs: Bench = {
  name: 'warm-small-blobs',
  title: `warm blobs of 4 KB, ${CONNECTIONS} connections`,
  metrics: LOAD_METRICS,
  goals: [{ metric: 'requests/s', against: 'distribution', atLeast: 5 }],
  run: measureSmallBlobs,
};

async function measureSmallBlobs(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const { rounds, seconds, blobs } = byScale(context.scale, PLAN);
  const sizes = Array.from({ length: blobs }, () => SIZE);
  const { byTag, digest, layers } = await world.storage.putImage('team/small', '1', sizes);
  const larders = await world.larders();
  await expectContent(larders, byTag, digest);
  const servers = [...larders, ...(context.hasPeers ? [await world.upstream()] : [])];
  for (const layer of layers) await expectContent(servers, layer.path, layer.digest);
  const load = { connections: CONNECTIONS, paths: layers.map(({ path }) => path) };
  await warmUp(context, servers, load);
  return await paired(servers, rounds, async (server) => loadRound(server, { ...load, seconds }));
}
