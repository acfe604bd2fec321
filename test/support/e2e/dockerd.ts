import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveLayers } from './hash.ts';
import { attempt, run, startProcess } from './process.ts';
import type { SecondMachine } from './second-machine.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

/** A Docker engine of its own, with a command line that talks to it. */
export interface Dockerd extends AsyncDisposable {
  /** Runs `docker ARGS` as a user would type it. */
  docker(...args: string[]): Promise<string>;
  /** The folder of the command line's `config.json`. */
  readonly clientConfig: string;
  /** Computes the digests of an image's layers (of their tar files) from the engine's disk. */
  savedLayers(image: string): Promise<readonly string[]>;
  /** Makes it read its daemon.json again, as `systemctl reload docker` does. */
  reload(): void;
}

/** Starts an engine. @param mirror the one address in `registry-mirrors` */
export async function dockerd(mirror: string): Promise<Dockerd> {
  return dockerdBy({ daemonJson: JSON.stringify({ 'registry-mirrors': [mirror] }) });
}

export interface DockerdOptions {
  /** The text of its daemon.json; absent: the one that the machine has at /etc/docker. */
  readonly daemonJson?: string;
  /** The machine that it runs on. Absent: this one. */
  readonly machine?: Pick<SecondMachine, 'start'>;
}

/** Starts a Docker engine that is configured only by its daemon.json. */
export async function dockerdBy({ daemonJson, machine }: DockerdOptions): Promise<Dockerd> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('dockerd'));
  const at = (name: string): string => join(directory.path, name);
  const configFile = daemonJson === undefined ? [] : ['--config-file', at('daemon.json')];
  if (daemonJson !== undefined) await writeFile(at('daemon.json'), daemonJson);
  const socket = `unix://${at('docker.sock')}`;
  const folders = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
  const isolation = ['--storage-driver=vfs', '--bridge=none', '--iptables=false', '--ip6tables=false'];
  const start = machine?.start ?? startProcess;
  const engine = stack.use(start('dockerd', [...folders, ...isolation, ...configFile, '-H', socket]));
  const env = { DOCKER_HOST: socket, DOCKER_CONFIG: at('client') };
  await until('dockerd answers', async () =>
    (await attempt('docker', ['info'], { env })).code === 0 ? true : undefined,
  );
  const docker = async (...args: string[]): Promise<string> => run('docker', args, { env });
  const owned = stack.move();
  return {
    docker,
    clientConfig: env.DOCKER_CONFIG,
    reload: () => engine.kill('SIGHUP'),
    async savedLayers(image) {
      await docker('save', '--output', at('saved.tar'), image);
      return archiveLayers(at('saved.tar'));
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
