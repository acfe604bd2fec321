import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startForwardProxy } from '../proxy.ts';
import { placed } from './documented.ts';
import { run } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/**
 * podman, buildah and skopeo as on a machine of their own: with an `/etc/containers` as the distribution's packages
 * leave it, an empty storage, and no way to any registry but those of the loopback address.
 */
export interface ContainersHost extends AsyncDisposable {
  /** Writes a file below its `/etc/containers`. */
  place(path: string, text: string): Promise<void>;
  /**
   * Runs a line of shell there, as a user types it.
   * @throws Error with the output if its exit code is not 0
   */
  type(line: string): Promise<string>;
  /** The requests beyond the loopback address, all refused: `CONNECT registry-1.docker.io:443`. */
  readonly askedBeyond: readonly string[];
}

/** Runs in a mount namespace of its own, so that `/etc/containers` is this host's, and mounts end with the line. */
const AT_HOME = ['--mount', '--', 'sh', '-c', 'mount --bind "$0" /etc/containers && exec sh -c "$1"'];

export async function containersHost(): Promise<ContainersHost> {
  await using stack = new AsyncDisposableStack();
  const { path: root } = stack.use(await temporaryDirectory('containers'));
  const beyond = stack.use(await startForwardProxy({ password: 'which no program has' }));
  const containers = join(root, 'etc/containers');
  await mkdir(join(root, 'etc'));
  await run('cp', ['-a', '/etc/containers', containers]);
  await placed(root, '/etc/containers/storage.conf', storageConf(root));
  await placed(root, '/etc/containers/containers.conf', containersConf(root));
  const { href } = beyond.url;
  const env = {
    HOME: root,
    XDG_RUNTIME_DIR: root,
    http_proxy: href,
    https_proxy: href,
    HTTP_PROXY: href,
    HTTPS_PROXY: href,
    no_proxy: undefined,
    NO_PROXY: undefined,
  };
  const owned = stack.move();
  return {
    place: async (path, text) => void (await placed(root, path, text)),
    type: async (line) => run('unshare', [...AT_HOME, containers, line], { env, cwd: root }),
    askedBeyond: beyond.log,
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

function storageConf(root: string): string {
  return `[storage]\ndriver = "vfs"\ngraphroot = "${root}/storage"\nrunroot = "${root}/run"\n`;
}

/** Configures a machine without systemd, as containers are. */
function containersConf(root: string): string {
  return `[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\ntmp_dir = "${root}/libpod"\n`;
}
