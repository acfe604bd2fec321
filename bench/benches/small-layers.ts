import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { makeCertificate } from '../support/certificate.ts';
import { expectContent } from '../support/check.ts';
import { Fetcher } from '../support/fetcher.ts';
import { paired } from '../support/paired.ts';
import type { StoredImage } from '../support/storage.ts';
import { World } from '../support/world.ts';

const SIZE = 40_000;
/** Layers that a client fetches at once: containerd and Docker take 3, podman 6. */
const AT_ONCE = 6;
const PLAN = {
  full: { rounds: 4, layers: 100 },
  quick: { rounds: 2, layers: 100 },
  smoke: { rounds: 1, layers: 10 },
};

export const smallLayers: Bench = {
  name: 'small-layers',
  title: 'a pull of 100 layers of 40 KB, 6 at once',
  metrics: {
    cold: { unit: 's', better: 'less' },
    warm: { unit: 's', better: 'less' },
  },
  goals: [],
  isLeftOutOfSmoke: true,
  run: async (context) => measureLayers(context, false),
};

export const smallLayersByTls: Bench = {
  ...smallLayers,
  name: 'small-layers-by-tls',
  title: 'a pull of 100 layers of 40 KB, 6 at once, from an upstream by TLS',
  isLeftOutOfSmoke: false,
  run: async (context) => measureLayers(context, true),
};

async function measureLayers(context: BenchContext, isSecured: boolean): Promise<Samples> {
  await using world = new World(context, isSecured ? await makeCertificate(context.directory) : undefined);
  const { rounds, layers: count } = byScale(context.scale, PLAN);
  const images: StoredImage[] = [];
  // The last one is for the warm-up.
  for (let i = 0; i <= rounds; i += 1) {
    const sizes = Array.from({ length: count }, () => SIZE);
    images.push(await world.storage.putImage(`team/app-${i}`, '1', sizes));
  }
  const caches = [
    ...(await world.larders()),
    ...(await world.peers(
      async () => world.distributionProxy(),
      async () => world.distribution3Proxy(),
    )),
  ];
  const fetcher = world.use(new Fetcher());
  for (const { byTag, digest } of images) await expectContent(caches, byTag, digest);
  for (const cache of caches) await fetcher.fetch(cache, images.at(-1)?.layers ?? [], AT_ONCE);
  const samples = await paired(caches, rounds, async (cache, round) => {
    const layers = images[round]?.layers ?? [];
    const cold = await fetcher.fetch(cache, layers, AT_ONCE);
    const warm = await fetcher.fetch(cache, layers, AT_ONCE);
    return { cold: cold.wallMs / 1000, warm: warm.wallMs / 1000 };
  });
  for (const { path, digest } of images.flatMap(({ layers }) => layers))
    await expectContent(caches, path, digest);
  return samples;
}
