import type { DockerRegistry } from './docker-registry.ts';
import { larder, type Config, type Larder } from './larder.ts';
import type { SeenRequest } from './counting-proxy.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

/** What a client does, for each of the story's pulls. */
export interface PullingClient extends AsyncDisposable {
  pullByTag(): Promise<void>;
  pullByDigest(): Promise<void>;
  /** Drops what was pulled, so that the next pull asks for all of it again. */
  forget(): Promise<void>;
  /** The digests of the pulled content, computed from the client's own disk. */
  content(): Promise<readonly string[]>;
}

/** What upstream was asked during each pull, and what the client had after each. */
export interface PullStory {
  readonly cold: readonly SeenRequest[];
  readonly warmByTag: readonly SeenRequest[];
  readonly warmByDigest: readonly SeenRequest[];
  /** By tag, by a second process on the same cache directory, once the tag's time to live had passed. */
  readonly afterTtl: readonly SeenRequest[];
  readonly content: readonly (readonly string[])[];
}

export interface PullStoryOptions {
  readonly registry: DockerRegistry;
  /** Larder's config but the time to live. */
  readonly config: Config;
  readonly client: (mirror: Larder) => Promise<PullingClient>;
}

/** The four pulls of one image that the promise "a hit costs no upstream request" is about. */
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
