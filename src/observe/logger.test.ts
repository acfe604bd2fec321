import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createLog, type Log, type LoggerOptions, type WritePlain } from './logger.ts';

type Written = (write: (logger: Log['logger'], writePlain: WritePlain) => void) => string;

function writing(options: Partial<LoggerOptions> = {}, isTerminal = false): Written {
  const stream = new PassThrough();
  const { logger, writePlain } = createLog({ level: 'info', format: 'json', ...options }, isTerminal, stream);
  return (write) => {
    write(logger, writePlain);
    return (stream.read() as Buffer | null)?.toString() ?? '';
  };
}

test('JSON: one line an entry, with its time in ISO 8601 and nothing of the machine', () => {
  const text = writing()((logger) => logger.info({ bytes: 7 }, 'first\nsecond'));
  expect(text.endsWith('\n')).toBe(true);
  expect(text.trimEnd()).not.toContain('\n');
  expect(JSON.parse(text)).toEqual({
    level: 30,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    bytes: 7,
    msg: 'first\nsecond',
  });
});

test.each([
  ['json', true, 'JSON'],
  ['json', false, 'JSON'],
  ['auto', false, 'JSON'],
  ['auto', true, 'pretty'],
  ['pretty', false, 'pretty'],
  ['pretty', true, 'pretty'],
] as const)('format %s, terminal %s: %s', (format, isTerminal, expected) => {
  const text = writing({ format }, isTerminal)((logger) => logger.info('hello'));
  expect(text).toMatch(expected === 'JSON' ? /^\{.*"msg":"hello"\}\n$/ : /^\[[\d:.]+\] INFO: hello\n$/);
});

test.each([
  ['trace', 6],
  ['debug', 5],
  ['info', 4],
  ['warn', 3],
  ['error', 2],
  ['silent', 0],
] as const)('level %s writes %i of the levels', (level, lines) => {
  const text = writing({ level })((logger) => {
    for (const each of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) logger[each]('x');
  });
  expect(text.split('\n').length - 1).toBe(lines);
});

describe('a line without secrets', () => {
  const fields = {
    text: 'a"\\\n\u001b[2J\u009b\u202e\ud800 é',
    long: 'x'.repeat(200),
    absent: undefined,
    bytes: 7,
    ms: Number.NaN,
    isWhole: true,
  };
  const withoutTime = (text: string): string => text.replace(/"time":"[^"]*"|^\[[\d:.]+\]/, '');

  test.each(['json', 'pretty'] as const)('is what the logger would write as well: %s', (format) => {
    const byLogger = writing({ format })((logger) => logger.warn(fields, 'hello'));
    const plain = writing({ format })((_, writePlain) => writePlain('warn', fields, 'hello'));
    expect(plain).not.toBe('');
    expect(withoutTime(plain)).toBe(withoutTime(byLogger));
  });

  test.each([
    ['debug', 3],
    ['info', 2],
    ['warn', 1],
    ['error', 0],
    ['silent', 0],
  ] as const)('level %s writes %i of them', (level, lines) => {
    const text = writing({ level })((_, writePlain) => {
      for (const each of ['debug', 'info', 'warn'] as const) writePlain(each, {}, 'x');
    });
    expect(text.split('\n').length - 1).toBe(lines);
  });
});

test.each(['authorization', 'password', 'token', 'cookie', 'credentials'])(
  'a field called %s does not get out, be it at the top or in what is logged',
  (field) => {
    const secret = { [field]: 'hunter2' };
    for (const entry of [secret, { headers: secret }]) {
      const text = writing()((logger) => logger.info(entry, 'hello'));
      expect(text).toContain('[Redacted]');
      expect(text).not.toContain('hunter2');
    }
  },
);

test('pretty shows on one line what a client has sent on several', () => {
  const text = writing({ format: 'pretty' })((logger) =>
    logger.info({ userAgent: 'a\n[00:00:00] ERROR: forged\u001B[2J' }, 'request'),
  );
  expect(text.split('\n').filter((line) => line.startsWith('['))).toHaveLength(1);
  expect(text).not.toContain('\u001B');
});

/** Returns the output of a process that logs one line without pino-pretty. */
async function withoutPinoPretty(format: LoggerOptions['format']): Promise<string> {
  const hook = `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve(specifier, context, next) {
      if (specifier === 'pino-pretty') throw Object.assign(new Error('none'), { code: 'MODULE_NOT_FOUND' });
      return next(specifier, context);
    } });`;
  const main = `
    import { createLog } from ${JSON.stringify(new URL('logger.ts', import.meta.url).href)};
    createLog({ level: 'info', format: '${format}' }, true).logger.info('hello');`;
  const importing = `--import=data:text/javascript,${encodeURIComponent(hook)}`;
  const args = [importing, '--input-type=module', '--eval', main];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

test('an installation without pino-pretty gets JSON, and is told so where it asked for more', async () => {
  const [auto, pretty] = await Promise.all([withoutPinoPretty('auto'), withoutPinoPretty('pretty')]);
  expect(auto).toMatch(/^\{.*"msg":"hello"\}\n$/);
  const lines = pretty
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toMatchObject([
    { level: 40, msg: expect.stringContaining('pino-pretty') as string },
    { level: 30, msg: 'hello' },
  ]);
});

/** Returns the standard output of a process that runs `body` with a logger. */
async function outputOf(body: string): Promise<string> {
  const main = `
    import { createLog } from ${JSON.stringify(new URL('logger.ts', import.meta.url).href)};
    const { logger } = createLog({ level: 'info', format: 'json' }, false);
    ${body}`;
  const args = ['--input-type=module', '--eval', main];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

test.each([
  ['ends by itself', ''],
  ['is told to exit', 'process.exit(0);'],
  ['is told to exit while lines are on their way', 'setImmediate(() => process.exit(0));'],
])('a process that %s has written every line, each once and whole', async (_, end) => {
  const text = await outputOf(`for (let i = 0; i < 5000; i += 1) logger.info({ i }, 'line'); ${end}`);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { i?: number });
  expect(lines.map(({ i }) => i)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
});

/** A program that writes 200 MB to standard output, and tells how many MB of memory that took. */
const LOG_MUCH = `
  import { setTimeout as wait } from 'node:timers/promises';
  const { createLog } = await import(process.argv[1]);
  const { logger } = createLog({ level: 'info', format: 'json' }, false);
  const before = process.memoryUsage().rss;
  for (let batch = 0; batch < 200; batch += 1) {
    for (let line = 0; line < 1000; line += 1) logger.info({ text: 'x'.repeat(1000) }, 'line');
    await wait(12);
  }
  process.send((process.memoryUsage().rss - before) / 1e6);`;

test('unread standard output does not take memory without end', { timeout: 60_000 }, async () => {
  const module = new URL('logger.ts', import.meta.url).href;
  const args = ['--input-type=module', '--eval', LOG_MUCH, module];
  // The test never reads the pipe.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const [grownMB] = (await once(child, 'message')) as [number];
  child.kill('SIGKILL');
  expect(grownMB).toBeLessThan(170);
});

describe('text that would steer a terminal, or look like another line', () => {
  const foreign = 'docker\u001b[2J\u009b2J\u202e\n[12:00:00.000] INFO: all is well\u2028 C:\\new "x"';

  test('JSON: escaped, and the same once it is read', () => {
    const text = writing()((logger) => logger.info({ userAgent: foreign, nested: { foreign } }, foreign));
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
    expect(JSON.parse(text)).toMatchObject({ userAgent: foreign, nested: { foreign }, msg: foreign });
  });

  test('pretty: shown as escapes, each field on its own line', () => {
    const fields = { userAgent: foreign, error: foreign, nested: { foreign } };
    const text = writing({ format: 'pretty' })((logger) => logger.info(fields, foreign));
    const shown = 'docker\\u001b[2J\\u009b2J\\u202e\\n[12:00:00.000] INFO: all is well\\u2028 C:\\new';
    const lines = text.trimEnd().split('\n');
    expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
    expect(lines).toHaveLength(6);
    // pino-pretty doubles the backslashes of errors.
    const told = lines.filter((line) => line.replaceAll('\\\\', '\\').includes(shown));
    expect(told).toHaveLength(4);
  });

  test('a field whose name is foreign', () => {
    const text = writing({ format: 'pretty' })((logger) => logger.info({ ['a\u009b\nb']: 1 }, 'x'));
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.trimEnd().split('\n')).toHaveLength(2);
  });
});
