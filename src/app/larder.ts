import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { chooseDelivery, type Delivery } from '../delivery/choose.ts';
import type { Events } from '../events.ts';
import { createMetrics, type Gauges } from '../observe/metrics.ts';
import { Admission } from '../server/admission.ts';
import type { Listening } from '../server/listening/listen.ts';
import { shareThreads, threadsOf } from '../threads.ts';
import { ThreadParser } from '../upstream/registry/parsing/thread-parser.ts';
import { Passage } from '../upstream/transport/passage.ts';
import { openAccess } from './access/access.ts';
import { openCache, type Cache } from './cache.ts';
import { listenProblem } from './listen-problem.ts';
import { startUpkeep } from './upkeep.ts';
import { startServer } from './server.ts';
import { createUpstreams, type ConfiguredUpstream } from './upstreams.ts';
import { version } from './version.ts';

/** A Larder that serves, until it is drained and disposed of. */
export interface Larder extends AsyncDisposable {
  readonly server: Listening;
  readonly delivery: Delivery;
  /** The content that was stored when the server started: how many blobs, and their bytes. */
  readonly stored: { readonly blobs: number; readonly bytes: number };
}

/**
 * Starts a server. All its parts are made here, in order, and each is passed to the parts that need it.
 * @throws Error if the address cannot be listened on; as `openCache` does
 */
export async function startLarder(
  config: Config,
  { clock, events }: { readonly clock: Clock; readonly events: Events },
): Promise<Larder> {
  await using stack = new AsyncDisposableStack();
  const threads = shareThreads(threadsOf(process.env['UV_THREADPOOL_SIZE']));
  const passage = new Passage(randomUUID());
  const parser = stack.use(new ThreadParser({ clock }));
  const userAgent = `larder/${version()}`;
  const upstreams = createUpstreams(config, { clock, events, passage, parser, userAgent });
  stack.defer(() => closeAll(upstreams));
  const cache = await openCache(config, upstreams, { clock, events, parser, syncs: threads.syncs });
  stack.defer(() => cache.close());
  const { mirror, repositories } = cache;
  const names = upstreams.map(({ upstream }) => upstream.name);
  const metrics = createMetrics(gaugesOf(config, cache, names));
  events.subscribe(metrics.listener);
  const delivery = await chooseDelivery(config.delivery, process, threads.sendfiles);
  const stored = await cache.index.stats();
  const admission = new Admission(config.limits);
  const { directory } = config.cache;
  const access = stack.use(await openAccess(config, { clock, events, directory, userAgent }));
  const serving = {
    clock,
    events,
    mirror,
    repositories,
    upstreams,
    admission,
    passage,
    access,
    api: cache.api,
    deliver: delivery.deliver,
  };
  const server = await startServer(config, { ...serving, metrics: metrics.read }).catch((error: unknown) => {
    throw listenProblem(config.listen, error);
  });
  // For a failure before the drain: an open listener would keep the process alive, and answer from a closed cache.
  stack.defer(async () => void (await server.drain(0)));
  cache.evictor.start();
  cache.confirmEarly();
  const running = await startUpkeep(config, cache, { clock, events });
  stack.defer(() => running.close());
  const parts = stack.move();
  return { server, delivery, stored, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

function gaugesOf({ cache: { maxSize } }: Config, cache: Cache, upstreams: readonly string[]): Gauges {
  const { mirror, index, freeBytes } = cache;
  return {
    fills: () => mirror.fills.size,
    store: () => index.stats(),
    storeLimit: maxSize,
    freeBytes,
    isDiskFailing: () => mirror.disk.error !== undefined,
    upstreams,
    waitingClaims: (upstream, limit) => index.waitingClaims(upstream, limit),
  };
}

async function closeAll(upstreams: readonly ConfiguredUpstream[]): Promise<void> {
  await Promise.all(upstreams.map(({ upstream }) => upstream.close()));
}
