import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run, startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

/** A containerd of its own. */
export interface Containerd extends AsyncDisposable {
  /** Runs `ctr ARGS`. */
  ctr(...args: string[]): Promise<string>;
  /** Runs `ctr images pull` with the hosts directory, and unpacks. */
  pull(reference: string, ...args: string[]): Promise<string>;
  /** Hashes the output of `ctr content get` for each digest. */
  hashedContent(digests: readonly string[]): Promise<readonly string[]>;
}

export interface ContainerdOptions {
  /** Headers that each hosts.toml adds to the requests to its mirror. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Runs `ctr`, which asks the registries itself. Absent: on this machine. */
  readonly run?: typeof run;
}

/** Starts it. @param mirrors a mirror's address by the name of the registry that it mirrors: one hosts.toml each */
export async function containerd(
  mirrors: Readonly<Record<string, string>>,
  options: ContainerdOptions = {},
): Promise<Containerd> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('containerd'));
  const at = (name: string): string => join(directory.path, name);
  for (const [registry, mirror] of Object.entries(mirrors)) {
    await writeHosts(join(at('hosts'), registry), mirror, options.headers ?? {});
  }
  const config = ['version = 2', 'disabled_plugins = ["io.containerd.grpc.v1.cri"]', ''].join('\n');
  await writeFile(at('config.toml'), config);
  const folders = ['--root', at('root'), '--state', at('state'), '--address', at('containerd.sock')];
  stack.use(startProcess('containerd', ['--config', at('config.toml'), ...folders]));
  const ctr = async (...args: string[]): Promise<string> =>
    (options.run ?? run)('ctr', ['--address', at('containerd.sock'), '--namespace', 'test', ...args]);
  await until('containerd answers', async () =>
    (await attempt('ctr', ['--address', at('containerd.sock'), 'version'])).code === 0 ? true : undefined,
  );
  const images = ['images', 'pull', '--snapshotter', 'native', '--hosts-dir', at('hosts')];
  const owned = stack.move();
  return {
    ctr,
    pull: async (reference, ...args) => ctr(...images, ...args, reference),
    hashedContent: async (digests) => hashedContent(at('containerd.sock'), digests),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

/** Configures the mirror alone: `server` is the mirror too, so that containerd never asks beyond this machine. */
async function writeHosts(
  directory: string,
  mirror: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const table = Object.entries(headers).map(([name, value]) => `    ${name} = "${value}"`);
  const lines = [
    `server = "${mirror}"`,
    `[host."${mirror}"]`,
    '  capabilities = ["pull", "resolve"]',
    ...(table.length === 0 ? [] : [`  [host."${mirror}".header]`, ...table]),
  ];
  await writeFile(join(directory, 'hosts.toml'), `${lines.join('\n')}\n`);
}

async function hashedContent(address: string, digests: readonly string[]): Promise<readonly string[]> {
  const script = 'ctr --address "$0" --namespace test content get "$1" | sha256sum';
  const hashed: string[] = [];
  for (const digest of digests) {
    hashed.push(`sha256:${(await run('bash', ['-c', script, address, digest])).slice(0, 64)}`);
  }
  return hashed;
}
