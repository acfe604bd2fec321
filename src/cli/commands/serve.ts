import { Command } from 'commander';
import type { Logger } from 'pino';
import { startLarder } from '../../app/larder.ts';
import { version } from '../../app/version.ts';
import { systemClock } from '../../clock.ts';
import type { Config } from '../../config/config.ts';
import { refusalToServe } from '../../app/refusal-to-serve.ts';
import { createEvents } from '../../events.ts';
import { createLog } from '../../observe/logger.ts';
import { createLogListener } from '../../observe/log.ts';
import type { Listening } from '../../server/listening/listen.ts';
import { openToOthers } from '../../store/fs/open-to-others.ts';
import { EXIT_USAGE } from '../terminal/exit-codes.ts';
import { readConfig } from '../terminal/read-config.ts';
import { startBlock } from '../terminal/texts/start-block.ts';
import { stopSignal } from '../terminal/stop-signal.ts';

const EXAMPLES = `
Examples:
  larder serve
  larder serve --config /etc/larder/config.yaml
`;

/** `larder serve`: runs until SIGTERM, SIGINT or SIGHUP. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the mirror')
    .option('--config <file>', 'the configuration file (default: LARDER_CONFIG, else config.yaml)')
    .addHelpText('after', EXAMPLES)
    .action(async ({ config: option }: { config?: string }) => {
      const config = readConfig(option, refusalToServe);
      if (config === undefined) process.exitCode = EXIT_USAGE;
      else await serve(config);
    });
}

async function serve(config: Config): Promise<void> {
  const clock = systemClock;
  const events = createEvents();
  const log = createLog(config.log, process.stdout.isTTY);
  events.subscribe(createLogListener(log, clock));
  const { logger } = log;

  const warning = openToOthers(config.cache.directory);
  if (warning !== undefined) logger.warn(warning);

  // Before the start: a signal during the start ends the program in order once the start is complete.
  const stopped = stopSignal(process, clock);
  {
    await using larder = await startLarder(config, { clock, events });
    const { server, delivery, stored } = larder;
    logger.info({ delivery: delivery.method, reason: delivery.reason }, 'how blobs are sent');
    process.stderr.write(startBlock(config, { version: version(), ...server, ...stored }));
    await drainAt(stopped, server, config, logger);
  }
  logger.info('stopped');
}

/** Serves until a signal, and then until the running pulls have finished or their time is up. */
async function drainAt(
  stopped: Promise<NodeJS.Signals>,
  server: Listening,
  { drainDelayMs, drainMs }: Config,
  logger: Logger,
): Promise<void> {
  const signal = await stopped;
  logger.info({ signal }, 'stopping: running pulls may finish');
  // SIGINT comes from a terminal, where no load balancer has to notice.
  const cut = await server.drain(drainMs, signal === 'SIGTERM' ? drainDelayMs : 0);
  if (cut > 0) logger.warn({ cut }, 'connections cut at the end of the drain');
}
