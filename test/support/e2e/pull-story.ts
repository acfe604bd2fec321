import type { DockerRegistry } from './docker-registry.ts';
import { larder, type Config, type Larder } from './larder.ts';
import type { SeenRequest } from './counting-proxy.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

/** The client of the story's pulls. */
export interface PullingClient extends AsyncDisposable {
  pullByTag(): Promise<void>;
  pullByDigest(): Promise<void>;
  /** Drops the pulled content, so that the next pull asks for all of it again. */
  forget(): Promise<void>;
  /** Computes the digests of the pulled content from the client's own disk. */
  content(): Promise<readonly string[]>;
}

/** The requests to upstream during each pull, and the client's content after each. */
export interface PullStory {
  readonly cold: readonly SeenRequest[];
  readonly warmByTag: readonly SeenRequest[];
  readonly warmByDigest: readonly SeenRequest[];
  /** The requests of a pull by tag after its time to live, through a second process on the same cache directory. */
  readonly afterTtl: readonly SeenRequest[];
  readonly content: readonly (readonly string[])[];
}

export interface PullStoryOptions {
  readonly registry: DockerRegistry;
  /** Larder's config without the time to live. */
  readonly config: Config;
  readonly client: (mirror: Larder) => Promise<PullingClient>;
}

/** Does the four pulls of one image that show the promise "a hit costs no upstream request". */
export async function pullStory({ registry, config, client }: PullStoryOptions): Promise<PullStory> {
  await using directory = await temporaryDirectory('cache');
  const content: (readonly string[])[] = [];
  const tell = async (user: PullingClient, pull: () => Promise<void>): Promise<readonly SeenRequest[]> => {
    registry.proxy.clear();
    await pull();
    const requests = [...registry.proxy.requests];
    content.push(await user.content());
    await user.forget();
    return requests;
  };
  const cacheDirectory = directory.path;
  const first = await larder({ ...config, tags: { ttl: '1h' } }, { cacheDirectory });
  await using _first = first;
  await using user = await client(first);
  const cold = await tell(user, async () => user.pullByTag());
  const resolvedBy = Date.now();
  const warmByTag = await tell(user, async () => user.pullByTag());
  const warmByDigest = await tell(user, async () => user.pullByDigest());
  await first.stop();
  await until('the tag is a second old', () => (Date.now() - resolvedBy > 1000 ? true : undefined));
  await using _second = await larder(
    { ...config, tags: { ttl: '1s' } },
    { cacheDirectory, host: first.host },
  );
  const afterTtl = await tell(user, async () => user.pullByTag());
  return { cold, warmByTag, warmByDigest, afterTtl, content };
}
