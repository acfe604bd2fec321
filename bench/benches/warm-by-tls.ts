import { byScale, type Bench } from '../support/bench.ts';
import { makeCertificate } from '../support/certificate.ts';
import { expectContent } from '../support/check.ts';
import { LOAD_METRICS, loadRound } from '../support/load-round.ts';
import { paired } from '../support/paired.ts';
import { World } from '../support/world.ts';
import { warmUp } from '../support/wrk.ts';
import { measureBlob, METRICS } from './warm-blob.ts';

const CONNECTIONS = 32;
const PLAN = {
  full: { rounds: 5, seconds: 2 },
  quick: { rounds: 3, seconds: 1 },
  smoke: { rounds: 1, seconds: 1 },
};

export const warmBlobByTls: Bench = {
  name: 'warm-blob-by-tls',
  title: 'warm blob of 120 MB, 4 clients, by TLS',
  metrics: METRICS,
  goals: [{ metric: 'CPU s/GB', against: 'distribution', atMost: 1.5 }],
  run: async (context) =>
    measureBlob(context, { tls: await makeCertificate(context.directory) }, async () => []),
};

export const warmManifestByTls: Bench = {
  name: 'warm-manifest-by-tls',
  title: `warm manifest by tag, ${CONNECTIONS} connections, by TLS`,
  metrics: LOAD_METRICS,
  goals: [{ metric: 'requests/s', against: 'distribution proxy', atLeast: 30 }],
  async run(context) {
    await using world = new World(context);
    const tls = await makeCertificate(context.directory);
    const image = await world.storage.putImage('team/app', '1', [4096, 4096, 4096]);
    const larders = await world.larders({ tls });
    const servers = [...larders, ...(await world.peers(async () => world.distributionProxy(tls)))];
    await expectContent(servers, image.byTag, image.digest);
    const { rounds, seconds } = byScale(context.scale, PLAN);
    const load = { connections: CONNECTIONS, paths: [image.byTag] };
    await warmUp(context, servers, load);
    return await paired(servers, rounds, async (server) => loadRound(server, { ...load, seconds }));
  },
};
