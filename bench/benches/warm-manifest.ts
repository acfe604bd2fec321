import { bareNode } from '../support/bare-node.ts';
import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { LOAD_METRICS, loadRound } from '../support/load-round.ts';
import { paired } from '../support/paired.ts';
import { World } from '../support/world.ts';
import { warmUp } from '../support/wrk.ts';

const CONNECTIONS = 32;
const PLAN = {
  full: { rounds: 5, seconds: 2 },
  quick: { rounds: 3, seconds: 1 },
  smoke: { rounds: 1, seconds: 1 },
};

export const warmManifestByTag: Bench = {
  name: 'warm-manifest-by-tag',
  title: `warm manifest by tag, ${CONNECTIONS} connections`,
  metrics: LOAD_METRICS,
  goals: [
    { metric: 'requests/s', against: 'distribution proxy', atLeast: 60 },
    { metric: 'requests/s', against: 'bare node:http', atLeast: 0.5 },
  ],
  run: async (context) => measureManifest(context, 'byTag'),
};

export const warmManifestByDigest: Bench = {
  name: 'warm-manifest-by-digest',
  title: `warm manifest by digest, ${CONNECTIONS} connections`,
  metrics: LOAD_METRICS,
  goals: [{ metric: 'requests/s', against: 'distribution proxy', atLeast: 15 }],
  run: async (context) => measureManifest(context, 'byDigest'),
};

async function measureManifest(context: BenchContext, form: 'byTag' | 'byDigest'): Promise<Samples> {
  await using world = new World(context);
  const image = await world.storage.putImage('team/app', '1', [4096, 4096, 4096]);
  const servers = [
    ...(await world.larders()),
    ...(await world.peers(
      async () => world.distributionProxy(),
      async () => (form === 'byTag' ? world.distribution3Proxy() : undefined),
      async () => bareNode('bare node:http', context.directory, image),
    )),
  ];
  await expectContent(servers, image.byTag, image.digest);
  const { rounds, seconds } = byScale(context.scale, PLAN);
  const load = { connections: CONNECTIONS, paths: [image[form]] };
  await warmUp(context, servers, load);
  return await paired(servers, rounds, async (server) => loadRound(server, { ...load, seconds }));
}
