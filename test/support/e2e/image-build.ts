import { realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tarOf } from './image.ts';
import { attempt, run } from './process.ts';
import type { RootFileSystem } from './root-file-system.ts';
import { temporaryDirectory } from './temporary.ts';

/** Builds images with buildah and runs them with podman, in a storage of its own. */
export interface ImageBuilder extends AsyncDisposable {
  /** Returns why images cannot be built or run here; undefined if they can. */
  unable(): Promise<string | undefined>;
  /** Runs `buildah bud` on a context directory with a Dockerfile. */
  build(context: string, tag: string): Promise<void>;
  /** Returns the arguments of a `podman run` with a read-only root file system. */
  podmanRun(tag: string, options: readonly string[], args: readonly string[]): readonly string[];
  podman(...args: string[]): Promise<string>;
}

/** Tried in turn: crun runs nothing if both versions of cgroups are mounted, but runc does. */
const RUNTIMES = ['crun', 'runc'];

/** Starts a builder. @param base name of the image that it makes from the root file system, with Node and npm */
export async function imageBuilder(base: string, root: RootFileSystem): Promise<ImageBuilder> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('build'));
  const at = (name: string): string => join(directory.path, name);
  const storage = ['--root', at('root'), '--runroot', at('run'), '--storage-driver', 'vfs'];
  const plain = [...storage, '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
  let engine: readonly string[] = plain;
  const buildah = async (...args: string[]): Promise<string> => run('buildah', [...storage, ...args]);
  const readOnly = ['run', '--rm', '--read-only', '--network=host', '--pull=never'];
  // podman raises the limits by default, for which root in a container may lack the capability.
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=512:512'];
  const podmanRun: ImageBuilder['podmanRun'] = (tag, options, args) =>
    [engine, readOnly, limits, options, [tag], args].flat();
  stack.defer(async () => void (await attempt('podman', [...engine, 'system', 'reset', '--force'])));
  const owned = stack.move();
  return {
    async unable() {
      try {
        await makeBase(buildah, base, root, at('base.tar'));
      } catch (error) {
        return (error as Error).message;
      }
      const refusals: string[] = [];
      for (const runtime of RUNTIMES) {
        engine = [...plain, '--runtime', runtime];
        const exit = await attempt('podman', podmanRun(base, [], ['node', '--version']));
        if (exit.code === 0) return undefined;
        refusals.push(`${runtime}: ${exit.stderr.trim()}`);
      }
      return refusals.join('; ');
    },
    async build(context, tag) {
      const npm = await npmSettings(at('npmrc'));
      const options = ['--isolation', 'chroot', '--format', 'docker', '--pull-never', '--quiet'];
      await buildah('bud', ...options, ...npm, '--tag', tag, context);
    },
    podmanRun,
    podman: async (...args) => run('podman', [...engine, ...args]),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

/** Makes an image of the root file system with this machine's Node and npm. */
async function makeBase(
  buildah: (...args: string[]) => Promise<string>,
  base: string,
  root: RootFileSystem,
  tarFile: string,
): Promise<void> {
  await tarOf(root.path, tarFile, root.exclude);
  const npm = join((await run('npm', ['root', '--global'])).trim(), 'npm');
  const container = (await buildah('from', 'scratch')).trim();
  await buildah('add', '--quiet', container, tarFile, '/');
  await buildah('copy', '--quiet', container, await realpath(process.execPath), '/usr/local/bin/node');
  await buildah('copy', '--quiet', container, npm, '/usr/local/lib/node_modules/npm');
  const link = ['ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm'];
  await buildah('run', '--isolation', 'chroot', container, '--', ...link);
  await buildah(
    'config',
    '--env',
    'PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin',
    container,
  );
  await buildah('commit', '--quiet', '--rm', container, base);
}

const NPM_SETTINGS = ['registry', 'cafile', 'proxy', 'https-proxy', 'noproxy'];

/** Mounts this machine's npm settings for the build, so that they are no part of the image. */
async function npmSettings(file: string): Promise<readonly string[]> {
  const values = await Promise.all(
    NPM_SETTINGS.map(async (key) => [key, (await run('npm', ['config', 'get', key])).trim()] as const),
  );
  const set = values.filter(([, value]) => value !== '' && value !== 'null' && value !== 'undefined');
  await writeFile(file, set.map(([key, value]) => `${key}=${value}\n`).join(''));
  const cafile = set.find(([key]) => key === 'cafile')?.[1];
  const authority = cafile === undefined ? [] : ['--volume', `${dirname(cafile)}:${dirname(cafile)}:ro`];
  return ['--volume', `${file}:/root/.npmrc:ro`, ...authority];
}
