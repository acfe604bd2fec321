import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import type { Logger } from 'pino';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { refusalToListen } from '../config/refusal.ts';
import { createEvents } from '../events.ts';
import { createLogger } from '../observe/logger.ts';
import { createLogListener } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { Admission } from '../server/admission.ts';
import { createApp } from '../server/app.ts';
import { listen, type Listening } from '../server/listen.ts';
import { Registry } from '../server/registry.ts';
import { RequestRecords } from '../server/request-record.ts';
import { UpstreamTable } from '../server/select-upstream.ts';
import { openCache } from './cache.ts';
import { EXIT_USAGE } from './exit-codes.ts';
import { createMaintenance, startMaintenance } from './maintenance.ts';
import { readConfig } from './read-config.ts';
import { startBlock } from './start-block.ts';
import { breakerDetail, createUpstreams } from './upstreams.ts';
import { version } from './version.ts';

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

/** Most connections are idle: clients keep a few open each. */
const CONNECTIONS_PER_REQUEST = 4;

/** The recipe: everything is made here, in order, and given to what needs it. */
async function serve(config: Config): Promise<void> {
  const clock = systemClock;
  const events = createEvents();
  const logger = createLogger(config.log, process.stdout.isTTY);
  events.subscribe(createLogListener(logger));

  const cache = await openCache(config, { clock, events });
  const { mirror, index } = cache;
  const upstreams = createUpstreams(config, { clock, events, userAgent: `larder/${version()}` });
  const metrics = createMetrics({
    fills: () => mirror.fills.size,
    store: () => index.stats(),
    storeLimit: config.cache.maxSize,
    freeBytes: cache.freeBytes,
    isDiskFailing: () => mirror.disk.error !== undefined,
  });
  events.subscribe(metrics.listener);

  const table = new UpstreamTable(upstreams, config.defaultUpstream);
  const records = new RequestRecords(clock, events, randomUUID);
  const app = createApp({
    registry: new Registry(mirror, table),
    records,
    health: {
      probe: () => mirror.probe(),
      metrics: metrics.read,
      detail: () => ({ disk: mirror.disk.state, upstreams: breakerDetail(upstreams) }),
    },
    clock,
    admission: new Admission(config.limits),
    idleMs: config.limits.idleTimeoutMs,
  });
  const server = await listen({
    app,
    records,
    clock,
    ...config.listen,
    limits: {
      headerTimeoutMs: config.limits.headerTimeoutMs,
      connections: CONNECTIONS_PER_REQUEST * config.limits.requests,
    },
  });
  cache.evictor.start();
  const maintenance = createMaintenance(config, cache, upstreams, { clock, events });
  const running = await startMaintenance(config, maintenance, cache, { clock, events });
  const stats = await index.stats();
  process.stderr.write(startBlock(config, { version: version(), url: urlOf(server), ...stats }));

  await drainAtSignal(server, config.drainMs, logger);
  await running.close();
  await cache.close();
  await Promise.all(upstreams.map(({ upstream }) => upstream.close()));
  logger.info('stopped');
}

function urlOf({ host, port }: Listening): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** Serves until it is told to stop, and then until running pulls have finished or their time is up. */
async function drainAtSignal(server: Listening, drainMs: number, logger: Logger): Promise<void> {
  const signal = await stopSignal();
  logger.info({ signal }, 'stopping: running pulls may finish');
  const cut = await server.drain(drainMs);
  if (cut > 0) logger.warn({ cut }, 'connections cut at the end of the drain');
}

/** Resolves at the first SIGTERM or SIGINT. A second one ends the process at once, as the system does. */
function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  return promise;
}
