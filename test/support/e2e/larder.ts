import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import manifest from '../../../package.json' with { type: 'json' };
import { ask, type Way } from './http-client.ts';
import { freePort } from './port.ts';
import { attempt, startProcess, type Exit, type RunningProcess } from './process.ts';
import { assertNoPassword, assertNoSecret } from './secrets.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'src/cli/main.ts');
/** Node's options in `npm start`. */
const NODE_FLAGS = manifest.scripts.start.split(' ').filter((word) => word.startsWith('--'));

/** The config file's content but `listen` and `cache.directory`, which the fixture gives. */
export type Config = Readonly<Record<string, unknown>>;

/** The program, as a real process. Disposing it fails if its log has told a secret, and so does reading its metrics. */
export interface Larder extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string;
  /** `127.0.0.1:PORT`, as in an image's name. */
  readonly host: string;
  readonly process: RunningProcess;
  readonly cacheDirectory: string;
  /** For commands of the program, as their `--config`. */
  readonly configFile: string;
  /** Reads the samples of /metrics by name and labels, as Prometheus writes them. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Resolves when no blob is being fetched or stored: a client has all of a blob before it is stored. */
  idle(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

export interface LarderOptions {
  /** A cache directory that outlives this process. Absent: a new one, which is removed with it. */
  readonly cacheDirectory?: string;
  /** `127.0.0.1:PORT` to listen at again, if clients are configured for it. */
  readonly host?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How it is reached: by https if there is a `ca`; by a Unix socket, on which it then listens, if there is one. */
  readonly by?: Way;
}

/** Starts Larder and waits until it is ready. */
export async function larder(config: Config, options: LarderOptions = {}): Promise<Larder> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('larder'));
  const cacheDirectory = options.cacheDirectory ?? join(directory.path, 'cache');
  const host = options.host ?? `127.0.0.1:${await freePort()}`;
  const url = `${options.by?.ca === undefined ? 'http' : 'https'}://${host}`;
  const configFile = join(directory.path, 'config.yaml');
  const { socketPath } = options.by ?? {};
  await writeFile(
    configFile,
    stringify({
      listen: socketPath === undefined ? host : `unix:${socketPath}`,
      ...complete(config, cacheDirectory),
    }),
  );
  const running = stack.use(
    startProcess(process.execPath, [...NODE_FLAGS, MAIN, 'serve', '--config', configFile], {
      env: options.env ?? {},
    }),
  );
  await ready(url, running, options.by);
  const metrics = async (): Promise<ReadonlyMap<string, number>> => {
    const text = (await ask(`${url}/metrics`, { by: options.by ?? {} })).body.toString('utf8');
    assertNoSecret(text, '/metrics');
    return parseMetrics(text);
  };
  const owned = stack.move();
  return {
    url,
    host,
    process: running,
    cacheDirectory,
    configFile,
    metrics,
    async idle() {
      const isIdle = async (): Promise<true | undefined> =>
        (await metrics()).get('larder_fills') === 0 ? true : undefined;
      await until('no fill runs', isIdle);
    },
    stop: async (signal) => running.stop(signal),
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
      assertNoSecret(running.stdout() + running.stderr(), 'the log of Larder');
    },
  };
}

/** Adds the cache directory, and makes the first upstream the default one if Docker Hub is not among them. */
function complete(config: Config, cacheDirectory: string): Config {
  const { cache, upstreams, ...rest } = config as { cache?: object; upstreams?: object };
  const [first] = Object.keys(upstreams ?? {});
  const isHubAmong = upstreams === undefined || 'docker.io' in upstreams;
  return {
    ...(isHubAmong ? {} : { defaultUpstream: first }),
    drainDelay: '0s',
    ...rest,
    ...(upstreams === undefined ? {} : { upstreams }),
    cache: { directory: cacheDirectory, ...cache },
  };
}

/** Runs the program's command line to its end. @param input what it reads from standard input */
export async function larderCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input: string | Uint8Array = '',
): Promise<Exit> {
  const exit = await attempt(process.execPath, [MAIN, ...args], { env, input });
  assertNoPassword(exit.stdout + exit.stderr, `larder ${args.join(' ')}`);
  return exit;
}

/** Writes `text` as a config file in a directory of its own, and runs `larder serve` with it to its end. */
export async function serveToItsEnd(text: string): Promise<Exit> {
  await using directory = await temporaryDirectory('config');
  const configFile = join(directory.path, 'config.yaml');
  await writeFile(configFile, text);
  return await larderCommand(['serve', '--config', configFile]);
}

async function ready(url: string, running: RunningProcess, by: Way = {}): Promise<void> {
  await until('larder is ready', async () => {
    if (running.hasExited()) return 'ended';
    return (await ask(`${url}/readyz`, { by })).status === 200 ? 'ready' : undefined;
  });
  if (!running.hasExited()) return;
  const exit = await running.exited;
  throw new Error(`larder ended with ${exit.code}:\n${exit.stdout}${exit.stderr}`);
}

/** Parses Prometheus' text format, without its comments: `name{labels}` → value. */
function parseMetrics(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
