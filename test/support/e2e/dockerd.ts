import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run, startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

/** A Docker engine of its own, with a command line that talks to it. */
export interface Dockerd extends AsyncDisposable {
  /** Runs `docker ARGS` as a user would type it. */
  docker(...args: string[]): Promise<string>;
  /** The digests of an image's layers (of their tar files), computed from what is on the engine's disk. */
  savedLayers(image: string): Promise<readonly string[]>;
}

/** @param mirror the one address in `registry-mirrors`. */
export async function dockerd(mirror: string): Promise<Dockerd> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('dockerd'));
  const at = (name: string): string => join(directory.path, name);
  // Its own, empty: the machine's may name other mirrors.
  await writeFile(at('daemon.json'), '{}');
  const socket = `unix://${at('docker.sock')}`;
  const folders = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
  const isolation = ['--storage-driver=vfs', '--bridge=none', '--iptables=false', '--ip6tables=false'];
  const config = ['--config-file', at('daemon.json'), '-H', socket, '--registry-mirror', mirror];
  stack.use(startProcess('dockerd', [...folders, ...isolation, ...config]));
  const env = { DOCKER_HOST: socket, DOCKER_CONFIG: at('client') };
  await until('dockerd answers', async () =>
    (await attempt('docker', ['info'], { env })).code === 0 ? true : undefined,
  );
  const docker = async (...args: string[]): Promise<string> => run('docker', args, { env });
  const owned = stack.move();
  return {
    docker,
    savedLayers: async (image) => savedLayers(docker, image, at('saved')),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

async function savedLayers(
  docker: (...args: string[]) => Promise<string>,
  image: string,
  directory: string,
): Promise<readonly string[]> {
  await docker('save', '--output', `${directory}.tar`, image);
  return archiveLayers(directory);
}

/** Unpacks `DIRECTORY.tar`, a docker-archive, and hashes each layer in the manifest's order. */
export async function archiveLayers(directory: string): Promise<readonly string[]> {
  await run('mkdir', ['-p', directory]);
  await run('tar', ['-xf', `${directory}.tar`, '-C', directory]);
  const [{ Layers: layers }] = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as [
    { Layers: readonly string[] },
  ];
  const sums = await run('sha256sum', layers, { cwd: directory });
  return sums
    .trim()
    .split('\n')
    .map((line) => `sha256:${line.slice(0, 64)}`);
}

/** The digests of all files in a folder of blobs, computed. */
export async function hashedFiles(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).sort();
  const sums = await run('sha256sum', names, { cwd: directory });
  return sums
    .trim()
    .split('\n')
    .map((line) => `sha256:${line.slice(0, 64)}`);
}
