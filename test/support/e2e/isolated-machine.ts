import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { dockerdBy, type Dockerd } from './dockerd.ts';
import type { Config } from './larder.ts';
import { attempt, run, startProcess, type RunningProcess, type RunOptions } from './process.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');

/** Where Larder listens there: nothing else is on that machine's network. */
export const ALONE = '127.0.0.1:5000';

/**
 * A machine whose network has only its own loopback interface: a network namespace without a link to any other. Files
 * reach it, packets do not.
 */
export interface IsolatedMachine extends AsyncDisposable {
  /** A folder of its own. */
  readonly path: string;
  readonly run: (command: string, args: readonly string[], options?: RunOptions) => Promise<string>;
  readonly start: (command: string, args: readonly string[]) => RunningProcess;
  /** Runs `larder ARGS` there. */
  larder(...args: string[]): Promise<string>;
  /** Starts Larder there, and waits until it is ready. The first time, with an empty cache. */
  serve(): Promise<RunningProcess>;
  /** Starts a Docker engine there whose mirror is Larder. */
  dockerd(): Promise<Dockerd>;
}

/** Makes one. @param config that of its Larder, but for the address and the cache directory */
export async function isolatedMachine(config: Config): Promise<IsolatedMachine> {
  const name = `larder-alone-${process.pid}-${randomInt(1e6)}`;
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryDirectory('alone'));
  await run('ip', ['netns', 'add', name]);
  stack.defer(async () => void (await attempt('ip', ['netns', 'delete', name])));
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  const configFile = join(path, 'config.yaml');
  const cache = { directory: join(path, 'cache') };
  await writeFile(configFile, stringify({ drainDelay: '0s', ...config, listen: ALONE, cache }));
  // `ip netns exec` would mount another /sys, in which dockerd finds no cgroups.
  const network = `--net=/run/netns/${name}`;
  const start = (command: string, args: readonly string[]): RunningProcess =>
    startProcess('nsenter', [network, '--', command, ...args]);
  const runThere: IsolatedMachine['run'] = (command, args, options) =>
    run('nsenter', [network, '--', command, ...args], options);
  const owned = stack.move();
  return {
    path,
    run: runThere,
    start,
    larder: (...args) => runThere(process.execPath, [MAIN, ...args, '--config', configFile]),
    async serve() {
      const running = start(process.execPath, [MAIN, 'serve', '--config', configFile]);
      await until('larder is ready', async () => {
        if (running.hasExited()) throw new Error((await running.exited).stderr);
        const ask = ['curl', '-fs', `http://${ALONE}/readyz`];
        return (await attempt('nsenter', [network, '--', ...ask])).code === 0 ? true : undefined;
      });
      return running;
    },
    dockerd: () =>
      dockerdBy({
        machine: { start },
        daemonJson: JSON.stringify({ 'registry-mirrors': [`http://${ALONE}`] }),
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
