import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { makeCertificate } from '../support/certificate.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { nginxBefore, type Serving } from '../support/nginx.ts';
import { paired, type Round } from '../support/paired.ts';
import type { Contestant, Server } from '../support/server.ts';
import type { StoredBlob } from '../support/storage.ts';
import { World } from '../support/world.ts';

const SIZE = 2e6;
const AT_ONCE = 8;
const WARM_UP = 10;
const PLAN = { full: 30, quick: 10, smoke: 2 };

export const coldFirstByte: Bench = {
  name: 'cold-first-byte',
  title: 'first byte of a cold blob of 2 MB on a new connection, one client and 8 at once',
  metrics: {
    one: { unit: 'ms', better: 'less' },
    'one by TLS': { unit: 'ms', better: 'less' },
    'all of 8': { unit: 'ms', better: 'less' },
    'all of 8 by TLS': { unit: 'ms', better: 'less' },
    // For the goals only: of two versions, the one that is better without TLS would look worse.
    'one by TLS, times without': { unit: '×', better: 'less', isInformation: true },
    'all of 8 by TLS, times without': { unit: '×', better: 'less', isInformation: true },
  },
  goals: [
    { metric: 'one by TLS, times without', atMost: 2 },
    { metric: 'all of 8 by TLS, times without', atMost: 2 },
  ],
  run: measureFirstByte,
};

async function measureFirstByte(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const rounds = byScale(context.scale, PLAN);
  const warmUp = context.scale === 'smoke' ? 0 : WARM_UP;
  const sizes = Array.from({ length: rounds * (1 + AT_ONCE) + warmUp }, () => SIZE);
  const { byTag, digest, layers } = await world.storage.putImage('team/app', '1', sizes);
  const tls = await makeCertificate(context.directory);
  const plain = await world.larders({ upstream: (await closing(world, {})).url });
  const secured = await world.larders({
    upstream: (await closing(world, { tls })).url,
    upstreamCa: tls.caFile,
  });
  const fetcher = world.use(new Fetcher());
  for (const larder of [...plain, ...secured]) {
    await expectContent([larder], byTag, digest);
    for (const layer of layers.slice(rounds * (1 + AT_ONCE))) await fetcher.fetch(larder, [layer]);
  }
  return await paired(secured, rounds, async (larder, round) => {
    const without = plain.find(({ name }) => name === larder.name);
    if (without === undefined) throw new Error('a version without its other server');
    const blobs = layers.slice(round * (1 + AT_ONCE), (round + 1) * (1 + AT_ONCE));
    const both = round % 2 === 0 ? [without, larder] : [larder, without];
    const times = new Map<Contestant, Times>();
    for (const server of both) times.set(server, await firstBytes(server, fetcher, blobs));
    return roundOf(times.get(without), times.get(larder));
  });
}

/** Starts the upstream whose connections serve one request each, so that no round finds an idle one. */
async function closing(world: World, serving: Serving): Promise<Server> {
  const { url } = await world.upstream();
  const { directory } = world.context;
  return world.use(await nginxBefore('upstream', directory, url, { ...serving, closes: true }));
}

type Times = readonly [one: number, all: number];
const NONE: Times = [Number.NaN, Number.NaN];

/** Returns when the first byte of a blob came, and when that of the last of the others asked for at once; ms. */
async function firstBytes(
  server: Contestant,
  fetcher: Fetcher,
  [first, ...others]: readonly StoredBlob[],
): Promise<Times> {
  const alone = await fetcher.fetch(server, first === undefined ? [] : [first]);
  const together = await fetcher.fetch(server, others);
  const latest = Math.max(...together.answers.map(({ firstByteMs }) => firstByteMs));
  return [alone.answers[0]?.firstByteMs ?? Number.NaN, latest];
}

function roundOf([one, all]: Times = NONE, [oneByTls, allByTls]: Times = NONE): Round {
  return {
    one,
    'one by TLS': oneByTls,
    'all of 8': all,
    'all of 8 by TLS': allByTls,
    'one by TLS, times without': oneByTls / one,
    'all of 8 by TLS, times without': allByTls / all,
  };
}
