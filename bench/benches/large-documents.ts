import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../../test/support/e2e/http-client.ts';
import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { hugeRegistry } from '../support/huge-registry.ts';
import { paired, type Round } from '../support/paired.ts';
import type { Contestant } from '../support/server.ts';
import { World } from '../support/world.ts';
import { latenciesWhile, longestOf, p99Of, warmUp, wrk } from '../support/wrk.ts';

/** Few, so that a client waits for the server and not for other clients. */
const CONNECTIONS = 2;
const TRIES = 10;
/** Time after which the uses of the images are written to the index (mirror/last-use.ts). */
const UNTIL_TOUCHED_MS = 8_000;
const PLAN = {
  full: {
    rounds: 3,
    seconds: 5,
    tags: 900_000,
    lists: 8,
    layers: 4000,
    images: 50,
    idleMs: UNTIL_TOUCHED_MS,
  },
  quick: {
    rounds: 1,
    seconds: 5,
    tags: 900_000,
    lists: 8,
    layers: 4000,
    images: 50,
    idleMs: UNTIL_TOUCHED_MS,
  },
  smoke: { rounds: 1, seconds: 1, tags: 50_000, lists: 2, layers: 500, images: 2, idleMs: 0 },
};

type Plan = (typeof PLAN)[keyof typeof PLAN];

export const largeDocuments: Bench = {
  name: 'large-documents',
  title: 'warm manifests while lists of 900,000 tags and images of 4,000 layers come in',
  metrics: {
    'longest, beyond alone': { unit: 'ms', better: 'less' },
    'longest alone': { unit: 'ms', better: 'less', isInformation: true },
    'longest meanwhile': { unit: 'ms', better: 'less', isInformation: true },
    'p99 alone': { unit: 'ms', better: 'less', isInformation: true },
    'p99 meanwhile': { unit: 'ms', better: 'less', isInformation: true },
    'all came in': { unit: 's', better: 'less', isInformation: true },
  },
  goals: [{ metric: 'longest, beyond alone', atMost: 100 }],
  run: measureLargeDocuments,
};

async function measureLargeDocuments(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const plan = byScale(context.scale, PLAN);
  const upstream = world.use(await hugeRegistry(context.directory, plan));
  const larders = await world.larders({ upstream: upstream.url });
  await warmUp(context, larders, { connections: CONNECTIONS, paths: [SMALL] });
  return await paired(larders, plan.rounds, async (larder, round) => disturb(larder, round, plan));
}

const SMALL = '/v2/team/app/manifests/small';

async function disturb(larder: Contestant, round: number, plan: Plan): Promise<Round> {
  const load = { connections: CONNECTIONS, paths: [SMALL] };
  const alone = await wrk(larder.url, { ...load, seconds: plan.seconds });
  const startedAt = performance.now();
  const incoming = takeIn(larder, round, plan);
  const seconds = incoming.then(() => (performance.now() - startedAt) / 1000);
  const meanwhile = await latenciesWhile(
    larder.url,
    load,
    incoming.then(async () => wait(plan.idleMs)),
  );
  return {
    'longest, beyond alone': longestOf(meanwhile) - longestOf(alone.latencies),
    'longest alone': longestOf(alone.latencies),
    'longest meanwhile': longestOf(meanwhile),
    'p99 alone': alone.p99Ms,
    'p99 meanwhile': p99Of(meanwhile),
    'all came in': await seconds,
  };
}

/** Asks for documents that the contestant has not seen before, all at the same time. */
async function takeIn({ name, url }: Contestant, round: number, { lists, images }: Plan): Promise<void> {
  const paths = [
    ...Array.from({ length: lists }, (_, number) => `/v2/list/r${round}-${number}/tags/list?n=10`),
    ...Array.from({ length: images }, (_, number) => `/v2/team/huge/manifests/r${round}-${number}`),
  ];
  await Promise.all(paths.map(async (path) => takeOne(name, `${url}${path}`)));
}

/** Asks for one document, again if the answer says to wait: eight lists may take longer than a client waits. */
async function takeOne(name: string, url: string): Promise<void> {
  for (let i = 0; i < TRIES; i += 1) {
    const { status } = await ask(url, { discard: true });
    if (status === 200) return;
    if (status !== 504) throw new Error(`${name} answered ${url} with ${status}`);
  }
  throw new Error(`${name} has not answered ${url} after ${TRIES} tries`);
}
