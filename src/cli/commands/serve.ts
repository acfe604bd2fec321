import { randomBytes, randomUUID } from 'node:crypto';
import { Command } from 'commander';
import type { Logger } from 'pino';
import { systemClock } from '../../clock.ts';
import type { Config } from '../../config/config.ts';
import { refusalToListen } from '../../config/refusal.ts';
import { chooseDelivery } from '../../delivery/choose.ts';
import { createEvents } from '../../events.ts';
import { createLogger } from '../../observe/logger.ts';
import { createLogListener } from '../../observe/log.ts';
import { createMetrics, type Gauges } from '../../observe/metrics.ts';
import { Admission } from '../../server/admission.ts';
import { createApp } from '../../server/app.ts';
import { listen, type Listening } from '../../server/listen.ts';
import { Registry } from '../../server/registry.ts';
import { RequestRecords } from '../../server/request-record.ts';
import { TrustedProxies } from '../../server/trusted-proxies.ts';
import { UpstreamTable, type RoutedUpstream } from '../../server/select-upstream.ts';
import { openToOthers } from '../../store/fs/open-to-others.ts';
import { shareThreads, threadsOf } from '../../threads.ts';
import { Passage } from '../../upstream/transport/passage.ts';
import { ThreadParser } from '../../upstream/registry/parsing/thread-parser.ts';
import { openCache, type Cache } from '../../app/cache.ts';
import { EXIT_USAGE } from '../terminal/exit-codes.ts';
import { listenProblem } from '../../app/listen-problem.ts';
import { createMaintenance, startMaintenance } from '../../app/maintenance.ts';
import { readConfig } from '../terminal/read-config.ts';
import { startBlock } from '../terminal/start-block.ts';
import { stopSignal } from '../terminal/stop-signal.ts';
import { createUpstreams, findTarget, upstreamDetail } from '../../app/upstreams.ts';
import { version } from '../../app/version.ts';

/** `larder serve`: runs until SIGTERM or SIGINT. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the mirror')
    .option('--config <file>', 'the configuration file (default: LARDER_CONFIG, else config.yaml)')
    .action(async ({ config: option }: { config?: string }) => {
      const config = readConfig(option, refusalToListen);
      if (config === undefined) process.exitCode = EXIT_USAGE;
      else await serve(config);
    });
}

/** The recipe: everything is made here, in order, and given to what needs it. */
async function serve(config: Config): Promise<void> {
  const clock = systemClock;
  const events = createEvents();
  const threads = shareThreads(threadsOf(process.env['UV_THREADPOOL_SIZE']));
  const logger = createLogger(config.log, process.stdout.isTTY);
  events.subscribe(createLogListener(logger));

  // From here on: whoever stops a start gets an orderly end once it is through.
  const stopped = stopSignal(process, clock);

  await using stack = new AsyncDisposableStack();
  const passage = new Passage(randomUUID());
  const parser = stack.use(new ThreadParser({ clock }));
  const userAgent = `larder/${version()}`;
  const upstreams = createUpstreams(config, { clock, events, passage, parser, userAgent });
  stack.defer(() => closeAll(upstreams));
  const cache = await openCache(config, { clock, events, parser, syncs: threads.syncs });
  stack.defer(() => cache.close());
  const warning = openToOthers(config.cache.directory);
  if (warning !== undefined) logger.warn(warning);
  const { mirror, index } = cache;
  const names = upstreams.map(({ upstream }) => upstream.name);
  const metrics = createMetrics(gaugesOf(config, cache, names));
  events.subscribe(metrics.listener);

  const delivery = await chooseDelivery(config.delivery, process, threads.sendfiles);
  const table = new UpstreamTable(upstreams, config.defaultUpstream);
  const proxies = new TrustedProxies(config.trustedProxies);
  const records = new RequestRecords(clock, events, randomUUID, proxies);
  const app = createApp({
    registry: new Registry(mirror, table, { clock, passage, answerMs: config.answerMs, randomBytes }),
    records,
    health: {
      probe: () => mirror.probe(),
      metrics: metrics.read,
      detail: () => ({
        disk: mirror.disk.state,
        upstreams: upstreamDetail(upstreams, (name) => mirror.isSlow(name)),
      }),
    },
    admission: new Admission(config.limits),
    idleMs: config.limits.idleTimeoutMs,
    deliver: delivery.deliver,
  });
  const stats = await index.stats();
  const server = await listen({
    app,
    records,
    proxies,
    clock,
    events,
    ...config.listen,
    limits: config.limits,
  }).catch((error: unknown) => {
    throw listenProblem(config.listen, error);
  });
  // Where something fails before the drain: what listens keeps the process, and would answer from a closed cache.
  stack.defer(async () => void (await server.drain(0)));
  logger.info({ delivery: delivery.method, reason: delivery.reason }, 'how blobs are sent');
  cache.evictor.start();
  mirror.confirmEarly(names, (key) => findTarget(upstreams, key));
  const maintenance = createMaintenance(config, cache, upstreams, { clock, events });
  const running = await startMaintenance(config, maintenance, cache, { clock, events });
  stack.defer(() => running.close());
  process.stderr.write(startBlock(config, { version: version(), ...server, ...stats }));

  await drainAt(stopped, server, config, logger);
  await stack.disposeAsync();
  logger.info('stopped');
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

async function closeAll(upstreams: readonly RoutedUpstream[]): Promise<void> {
  await Promise.all(upstreams.map(({ upstream }) => upstream.close()));
}

/** Serves until it is told to stop, and then until running pulls have finished or their time is up. */
async function drainAt(
  stopped: Promise<NodeJS.Signals>,
  server: Listening,
  { drainDelayMs, drainMs }: Config,
  logger: Logger,
): Promise<void> {
  const signal = await stopped;
  logger.info({ signal }, 'stopping: running pulls may finish');
  // At a terminal there is no load balancer that has to notice.
  const cut = await server.drain(drainMs, signal === 'SIGTERM' ? drainDelayMs : 0);
  if (cut > 0) logger.warn({ cut }, 'connections cut at the end of the drain');
}
