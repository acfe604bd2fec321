import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { pino, type DestinationStream, type Logger } from 'pino';
import { systemClock } from '../clock.ts';
import { escapeControlsInJson } from '../text/controls.ts';
import { LineBatch } from './line-batch.ts';

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
      timestamp: createTimestamp(),
      redact: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
    },
    pretty ?? plain(stream ?? standardOutput()),
  );
  if (options.format === 'pretty' && pretty === undefined) {
    logger.warn('log.format is pretty, but pino-pretty is not installed: the log is JSON');
  }
  return logger;
}

/** Foreign text is in what is logged, and a person looks at the log: nothing in it may steer the terminal. */
function plain(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(escapeControlsInJson(line)) };
}

/** The same for what makes text of the lines again: what they have escaped is escaped once more. */
function plainToo(destination: DestinationStream): DestinationStream {
  const once = (line: string): string =>
    escapeControlsInJson(line).replaceAll(
      /\\(?:(["\\/])|([bfnrt]|u[0-9a-f]{4}))/gi,
      (escape, _mark, control) => (control === undefined ? escape : `\\${escape}`),
    );
  return { write: (line) => destination.write(once(line)) };
}

/** What waits for somebody to read it, bytes. Beyond it the log has gaps: the process is worth more. */
const MAX_BACKLOG = 16 * 1024 * 1024;

/** Standard output, written to in the background; what is left when the process ends is written then. */
function standardOutput(): DestinationStream {
  const background = pino.destination({
    dest: 1,
    sync: false,
    contentMode: 'buffer',
    maxLength: MAX_BACKLOG,
  });
  let isStalled = false;
  background.on('drop', () => (isStalled = true));
  background.on('drain', () => (isStalled = false));
  // In that mode it takes bytes, which its types do not say.
  const { write } = background as unknown as { write: (this: unknown, bytes: Uint8Array) => void };
  const batch = new LineBatch((text) => write.call(background, Buffer.from(text)), systemClock);
  process.once('exit', () => {
    // Who does not read now may never do.
    if (isStalled) return;
    background.flushSync();
    const rest = batch.take();
    if (rest !== '') pino.destination({ dest: 1, sync: true }).write(rest);
  });
  return batch;
}

/** The time of a line, in ISO 8601, as pino wants it. Many lines are of the same millisecond: it is rendered once. */
function createTimestamp(): () => string {
  let lastMs = NaN;
  let last = '';
  return () => {
    const now = systemClock.now();
    if (now !== lastMs) last = `,"time":"${new Date(now).toISOString()}"`;
    lastMs = now;
    return last;
  };
}

/** pino-pretty is a tool of development: an installation without it gets JSON. */
function prettyStream(destination: Writable | undefined): DestinationStream | undefined {
  try {
    const require = createRequire(import.meta.url);
    const pretty = require('pino-pretty') as (options: object) => DestinationStream;
    return plainToo(pretty({ sync: true, ...(destination !== undefined && { destination }) }));
  } catch {
    return undefined;
  }
}
