import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { pino, type DestinationStream, type Logger } from 'pino';
import { systemClock } from '../clock.ts';
import { escapeControlsInJson } from '../text/controls.ts';
import { LineBatch } from './line-batch.ts';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: readable on a terminal if pino-pretty is installed; JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty';
}

/** Names of fields that may carry a secret, at any depth of a logged object. */
const SECRET_FIELDS = ['authorization', 'password', 'token', 'cookie', 'credentials'];

/** Writes a line with plain fields, of which none may be a secret: nothing is hidden. */
export type WritePlain = (level: 'debug' | 'info' | 'warn', fields: object, message: string) => void;

export interface Log {
  readonly logger: Logger;
  /** Writes a line as the logger would, in half the time. */
  readonly writePlain: WritePlain;
}

/** Makes a log whose lines go to `stream`, by default to standard output. */
export function createLog(options: LoggerOptions, isTerminal: boolean, stream?: Writable): Log {
  const wantsPretty = options.format === 'pretty' || (options.format === 'auto' && isTerminal);
  const pretty = wantsPretty ? prettyStream(stream) : undefined;
  const destination = pretty ?? escaped(stream ?? standardOutput());
  const timeNow = createTimestamp();
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${timeNow()}"`,
      redact: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
    },
    destination,
  );
  if (options.format === 'pretty' && pretty === undefined) {
    logger.warn('log.format is pretty, but pino-pretty is not installed: the log is JSON');
  }
  return { logger, writePlain: plainWriter(logger, destination, timeNow) };
}

function plainWriter(logger: Logger, destination: DestinationStream, timeNow: () => string): WritePlain {
  return (name, fields, msg) => {
    if (!logger.isLevelEnabled(name)) return;
    const level = logger.levels.values[name];
    destination.write(`${JSON.stringify({ level, time: timeNow(), ...fields, msg })}\n`);
  };
}

/** Escapes control characters: log lines quote foreign text, which must not steer a reader's terminal. */
function escaped(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(escapeControlsInJson(line)) };
}

/** Escapes for a formatter that decodes the lines: it undoes one level of escapes, so control characters get two. */
function doublyEscaped(destination: DestinationStream): DestinationStream {
  const once = (line: string): string =>
    escapeControlsInJson(line).replaceAll(
      /\\(?:(["\\/])|([bfnrt]|u[0-9a-f]{4}))/gi,
      (escape, _mark, control) => (control === undefined ? escape : `\\${escape}`),
    );
  return { write: (line) => destination.write(once(line)) };
}

/** Bytes that may wait to be read. Beyond that the log has gaps: the process is worth more than its log. */
const MAX_BACKLOG = 16 * 1024 * 1024;

/** Opens standard output for writing in the background; the rest is written when the process ends. */
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
  // In this mode it takes bytes, although its types say text.
  const { write } = background as unknown as { write: (this: unknown, bytes: Uint8Array) => void };
  const batch = new LineBatch((text) => write.call(background, Buffer.from(text)), systemClock);
  process.once('exit', () => {
    // A reader that does not read now may never do.
    if (isStalled) return;
    background.flushSync();
    const rest = batch.take();
    if (rest !== '') pino.destination({ dest: 1, sync: true }).write(rest);
  });
  return batch;
}

/** Makes a clock in ISO 8601. Many lines have the same millisecond, so it is rendered only once. */
function createTimestamp(): () => string {
  let lastMs = NaN;
  let last = '';
  return () => {
    const now = systemClock.now();
    if (now !== lastMs) last = new Date(now).toISOString();
    lastMs = now;
    return last;
  };
}

/** pino-pretty is a tool of development: an installation without it gets JSON. */
function prettyStream(destination: Writable | undefined): DestinationStream | undefined {
  try {
    const require = createRequire(import.meta.url);
    const pretty = require('pino-pretty') as (options: object) => DestinationStream;
    return doublyEscaped(pretty({ sync: true, ...(destination !== undefined && { destination }) }));
  } catch {
    return undefined;
  }
}
