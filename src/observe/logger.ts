import { createRequire } from 'node:module';
import { pino, type DestinationStream, type Logger } from 'pino';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: readable on a terminal, where pino-pretty is installed; JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty';
}

/** What may carry a secret, wherever it turns up in what is logged. */
const SECRET_FIELDS = ['authorization', 'password', 'token', 'cookie', 'credentials'];

/** A logger that writes lines to standard output. */
export function createLogger(options: LoggerOptions, isTerminal: boolean): Logger {
  const wantsPretty = options.format === 'pretty' || (options.format === 'auto' && isTerminal);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
    },
    (wantsPretty ? prettyStream() : undefined) ?? pino.destination({ dest: 1, sync: false }),
  );
}

/** pino-pretty is a tool of development: an installation without it gets JSON. */
function prettyStream(): DestinationStream | undefined {
  try {
    const require = createRequire(import.meta.url);
    const pretty = require('pino-pretty') as (options: object) => DestinationStream;
    return pretty({ sync: true, ignore: 'pid,hostname' });
  } catch {
    return undefined;
  }
}
