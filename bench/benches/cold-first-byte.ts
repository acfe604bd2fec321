import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { paired } from '../support/paired.ts';
import { World } from '../support/world.ts';

const DIRECT = 'direct download';
const SIZE = 1e6;
const WARM_UP = 20;
const PLAN = { full: 100, quick: 30, smoke: 5 };

export const coldFirstByte: Bench = {
  name: 'cold-first-byte',
  title: 'first byte of a cold blob of 1 MB, one client',
  metrics: {
    'first byte': { unit: 'ms', better: 'less' },
    added: { unit: 'ms', better: 'less', isInformation: true },
  },
  goals: [{ metric: 'added', atMost: 5 }],
  run: measureFirstByte,
};

async function measureFirstByte(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const rounds = byScale(context.scale, PLAN);
  const sizes = Array.from({ length: rounds + WARM_UP }, () => SIZE);
  const { byTag, digest, layers } = await world.storage.putImage('team/app', '1', sizes);
  const larders = await world.larders();
  await expectContent(larders, byTag, digest);
  const direct = { ...(await world.upstream()), name: DIRECT };
  const contestants = [direct, ...larders];
  const fetcher = world.use(new Fetcher());
  for (const layer of layers.slice(rounds)) {
    for (const contestant of contestants) await fetcher.fetch(contestant, [layer]);
  }
  const samples = await paired(contestants, rounds, async (contestant, round) => {
    const { answers } = await fetcher.fetch(contestant, layers.slice(round, round + 1));
    return { 'first byte': answers[0]?.firstByteMs ?? Number.NaN };
  });
  return { ...samples, added: addedTo(samples['first byte'] ?? {}) };
}

/** Returns how much longer each contestant took than the direct download of the same blob. */
function addedTo(values: Samples[string]): Samples[string] {
  const { [DIRECT]: direct = [], ...others } = values;
  const added = Object.entries(others).map(([name, each]) => [
    name,
    each.map((value, i) => value - (direct[i] ?? Number.NaN)),
  ]);
  return Object.fromEntries(added) as Samples[string];
}
