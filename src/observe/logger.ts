import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { pino, type DestinationStream, type Logger } from 'pino';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: readable on a terminal, where pino-pretty is installed; JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty';
}

/** What may carry a secret, wherever it turns up in what is logged. */
const SECRET_FIELDS = ['authorization', 'password', 'token', 'cookie', 'credentials'];

/** A logger that writes lines to `stream`, standard output unless told. */
export function createLogger(options: LoggerOptions, isTerminal: boolean, stream?: Writable): Logger {
  const wantsPretty = options.format === 'pretty' || (options.format === 'auto' && isTerminal);
  const pretty = wantsPretty ? prettyStream(stream) : undefined;
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
    },
    pretty ?? stream ?? pino.destination({ dest: 1, sync: false }),
  );
  if (options.format === 'pretty' && pretty === undefined) {
    logger.warn('log.format is pretty, but pino-pretty is not installed: the log is JSON');
  }
  return logger;
}

/** pino-pretty is a tool of development: an installation without it gets JSON. */
function prettyStream(destination: Writable | undefined): DestinationStream | undefined {
  try {
    const require = createRequire(import.meta.url);
    const pretty = require('pino-pretty') as (options: object) => DestinationStream;
    return pretty({ sync: true, ...(destination !== undefined && { destination }) });
  } catch {
    return undefined;
  }
}
