import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { larder, larderCommand } from '../../support/e2e/larder.ts';
import { attempt, type Exit } from '../../support/e2e/process.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import { loopbackAddresses } from '../../support/loopback.ts';

const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');

/** The program run to its end with a config file of this text, in a folder of its own. */
async function serveWith(text: string, directory: string): Promise<Exit> {
  const file = join(directory, 'config.yaml');
  await writeFile(file, text);
  return larderCommand(['serve', '--config', file]);
}

/** Failures are told to a person: one line each, what is wrong and where, and no stack. */
function linesOf({ stderr }: Exit): readonly string[] {
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr.endsWith('\n')).toBe(true);
  return stderr.trimEnd().split('\n');
}

describe('a command line that is wrong ends with 2 and says what is', () => {
  test.each([
    ['a command that there is none of', ['server'], "error: unknown command 'server'"],
    ['an option that there is none of', ['serve', '--port', '5000'], "error: unknown option '--port'"],
    ['an option of the program itself', ['--quiet'], "error: unknown option '--quiet'"],
    [
      'an option without its value',
      ['serve', '--config'],
      /^error: option '--config <file>' argument missing/,
    ],
    [
      'a command of a command without its option',
      ['access', 'explain', 'debian'],
      "error: required option '--as <who>'",
    ],
    ['too much', ['serve', 'config.yaml'], /^error: too many arguments for 'serve'/],
  ])('%s', async (_, args, text) => {
    const exit = await larderCommand(args);
    expect([exit.code, exit.stdout]).toEqual([2, '']);
    expect(linesOf(exit)[0]).toMatch(text);
  });

  test('nothing at all: the commands are named', async () => {
    const exit = await larderCommand([]);
    expect([exit.code, exit.stdout]).toEqual([2, '']);
    expect(exit.stderr).toMatch(/^Usage: larder .*\bserve\b/s);
  });
});

describe('what was asked for ends with 0', () => {
  test('--version', async () => {
    const manifest = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    expect(await larderCommand(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each([[['--help']], [['help']], [['serve', '--help']], [['help', 'serve']]])('%j', async (args) => {
    const exit = await larderCommand(args);
    expect([exit.code, exit.stderr]).toEqual([0, '']);
    expect(exit.stdout).toMatch(/^Usage: larder /);
  });
});

test.each([
  ['an answer', ['check']],
  ['the help', ['--help']],
])('output that the disk does not take is a failure: %s', async (_, args) => {
  await using directory = await temporaryDirectory('full');
  const config = join(directory.path, 'config.yaml');
  await writeFile(config, `cache: { directory: ${directory.path}/cache }\n`);
  const toFullDisk = ['-c', '"$@" > /dev/full', 'sh', process.execPath, MAIN, ...args];
  const exit = await attempt('sh', toFullDisk, { env: { LARDER_CONFIG: config } });
  expect([exit.code, exit.stderr]).toEqual([1, 'larder: the output cannot be written: ENOSPC\n']);
});

describe('a configuration that cannot be used ends with 2, a line a mistake', () => {
  test('mistakes', async () => {
    await using directory = await temporaryDirectory('cli');
    const text = 'listen: nowhere\ncache: { maxSize: big }\nlisen: 1\n';
    const exit = await serveWith(text, directory.path);
    expect(exit.code).toBe(2);
    const lines = linesOf(exit);
    expect(lines.map((line) => /config\.yaml:(\d+): /.exec(line)?.[1])).toEqual(['1', '2', '3']);
  });

  test('not YAML', async () => {
    await using directory = await temporaryDirectory('cli');
    const exit = await serveWith('listen: [127.0.0.1\n', directory.path);
    expect(exit.code).toBe(2);
    expect(linesOf(exit)[0]).toMatch(/config\.yaml:\d+/);
  });

  test('none', async () => {
    const exit = await larderCommand(['serve', '--config', '/nonexistent/larder.yaml']);
    expect(exit.code).toBe(2);
    expect(linesOf(exit)).toEqual([expect.stringContaining('/nonexistent/larder.yaml')]);
  });

  test('an environment variable that is wrong is named', async () => {
    await using directory = await temporaryDirectory('cli');
    const file = join(directory.path, 'config.yaml');
    await writeFile(file, 'offline: true\n');
    const exit = await larderCommand(['serve', '--config', file], { LARDER_LISTEN: 'nowhere' });
    expect(exit.code).toBe(2);
    expect(linesOf(exit)).toEqual([expect.stringMatching(/LARDER_LISTEN.*"nowhere"/)]);
  });
});

/** A port that somebody has. */
async function takenPort(host: string): Promise<Server & AsyncDisposable> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  return server;
}

describe('a start that fails ends with 1 and one line', () => {
  test.each(loopbackAddresses())('an address that is taken is named: %s', async (host) => {
    await using directory = await temporaryDirectory('cli');
    await using taken = await takenPort(host);
    const { port } = taken.address() as AddressInfo;
    const listen = host === '::1' ? `"[::1]:${port}"` : `${host}:${port}`;
    const exit = await serveWith(
      `listen: ${listen}\ncache: { directory: ${directory.path}/cache }\n`,
      directory.path,
    );
    expect([exit.code, exit.signal, exit.stdout]).toEqual([1, null, '']);
    expect(linesOf(exit)).toEqual([
      `larder: cannot listen on ${listen.replaceAll('"', '')}: another program listens there already (EADDRINUSE)`,
    ]);
  });

  test('an address that this machine has not', async () => {
    await using directory = await temporaryDirectory('cli');
    const text = `listen: 192.0.2.1:5000\ncache: { directory: ${directory.path}/cache }\n`;
    const exit = await serveWith(text, directory.path);
    expect(exit.code).toBe(1);
    expect(linesOf(exit)).toEqual([
      'larder: cannot listen on 192.0.2.1:5000: this machine has no such address (EADDRNOTAVAIL)',
    ]);
  });

  test('a cache directory that another process has: who has it', async () => {
    await using directory = await temporaryDirectory('cli');
    const cacheDirectory = join(directory.path, 'cache');
    await using holder = await larder({}, { cacheDirectory });
    const text = `listen: 127.0.0.1:0\ncache: { directory: ${cacheDirectory} }\n`;
    const exit = await serveWith(text, directory.path);
    expect(exit.code).toBe(1);
    const [line, ...more] = linesOf(exit);
    expect(more).toEqual([]);
    expect(line).toContain(cacheDirectory);
    expect(line).toContain(`process ${holder.process.pid}`);
  });

  test.each<[string, (directory: string) => Promise<string>]>([
    [
      'a file',
      async (directory) => {
        await writeFile(join(directory, 'file'), '');
        return join(directory, 'file');
      },
    ],
    [
      'below a file',
      async (directory) => {
        await writeFile(join(directory, 'file'), '');
        return join(directory, 'file/cache');
      },
    ],
    ['where nothing can be made', () => Promise.resolve('/proc/larder')],
    [
      'one whose blobs folder is a file',
      async (directory) => {
        await mkdir(join(directory, 'cache'));
        await writeFile(join(directory, 'cache/blobs'), '');
        return join(directory, 'cache');
      },
    ],
  ])('a cache directory that is none: %s', async (_, make) => {
    await using directory = await temporaryDirectory('cli');
    const path = await make(directory.path);
    const exit = await serveWith(`listen: 127.0.0.1:0\ncache: { directory: ${path} }\n`, directory.path);
    expect(exit.code).toBe(1);
    const [line, ...more] = linesOf(exit);
    expect(more).toEqual([]);
    expect(line).toMatch(/^larder: /);
    expect(line).toContain(path);
  });

  test('and leaves the directory to the next one', async () => {
    await using directory = await temporaryDirectory('cli');
    const cacheDirectory = join(directory.path, 'cache');
    await using taken = await takenPort('127.0.0.1');
    const { port } = taken.address() as AddressInfo;
    const text = `listen: 127.0.0.1:${port}\ncache: { directory: ${cacheDirectory} }\n`;
    expect(await serveWith(text, directory.path)).toMatchObject({ code: 1 });
    await using next = await larder({}, { cacheDirectory });
    expect(await next.stop()).toMatchObject({ code: 0 });
  });
});

describe('a server that is told to stop ends with 0', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s', async (signal) => {
    await using server = await larder({ log: { format: 'json' } });
    const exit = await server.stop(signal);
    expect([exit.code, exit.signal]).toEqual([0, null]);
    const lines = exit.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    expect(lines.at(-1)?.msg).toBe('stopped');
    expect(exit.stderr).toContain(server.url);
  });

  test('also where the signal comes twice, as npm passes on what the terminal has sent already', async () => {
    await using server = await larder({});
    server.process.kill('SIGINT');
    server.process.kill('SIGINT');
    expect(await server.process.exited).toMatchObject({ code: 0, signal: null });
  });
});
