import { dirname, join } from 'node:path';
import { goTool } from './go-tool.ts';
import { attempt, run, startProcess } from './process.ts';
import { until } from './until.ts';

const CRICTL = goTool('crictl', 'sigs.k8s.io/cri-tools/cmd/crictl', 'v1.34.0');

/** A containerd of its own with its CRI plugin, through which Kubernetes pulls. */
export interface CriContainerd extends AsyncDisposable {
  /** Runs a line of shell as a user types it, with `crictl` and `ctr` that talk to this containerd. */
  shell(line: string): Promise<string>;
}

/** @returns why `crictl` is not available here; undefined if it is */
export async function crictlUnable(): Promise<string | undefined> {
  return CRICTL.install();
}

/** Returns the major version of Debian's containerd: 1 or 2. */
export async function containerdMajor(): Promise<number> {
  const text = await run('containerd', ['--version']);
  return Number(/ v?(\d+)\.\d+/.exec(text)?.[1]);
}

/** The setting of the snapshotter, which containerd 2 has in two places. */
const UNPACKED_BY_NATIVE = [
  '[[plugins."io.containerd.transfer.v1.local".unpack_config]]',
  '  platform = "linux/amd64"',
  '  snapshotter = "native"',
  '',
].join('\n');

/** Changes a `config.toml` so that images are unpacked on any file system: an overlay cannot lie on another one. */
export function onAnyFileSystem(config: string, major: number): string {
  const ofPlugin = '  snapshotter = "native"\n';
  if (major === 1) return `${config}[plugins."io.containerd.grpc.v1.cri".containerd]\n${ofPlugin}`;
  return `${config}[plugins."io.containerd.cri.v1.images"]\n${ofPlugin}${UNPACKED_BY_NATIVE}`;
}

/**
 * Changes a `config.toml` so that pods start in a container as well, which has no control groups of its own and may not
 * make the kernel spare a process.
 * @param sandboxImage the image of the program that holds a pod's namespaces
 */
export function forPods(config: string, major: number, sandboxImage: string): string {
  const limits = '  restrict_oom_score_adj = true\n  disable_cgroup = true\n';
  if (major === 1) {
    return `${config}[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "${sandboxImage}"\n${limits}`;
  }
  const pinned = `[plugins."io.containerd.cri.v1.images".pinned_images]\n  sandbox = "${sandboxImage}"\n`;
  return `${config}[plugins."io.containerd.cri.v1.runtime"]\n${limits}${pinned}`;
}

/** Returns the whole `config.toml` that containerd prints, changed so that it works on any file system. */
export async function stockConfig(major: number): Promise<string> {
  const text = await run('containerd', ['config', 'default']);
  const native = text.replaceAll(/(snapshotter = )["']overlayfs["']/g, '$1"native"');
  return major === 1 ? native : native + UNPACKED_BY_NATIVE;
}

/**
 * Starts containerd.
 * @param directory for its root, its state and its socket.
 * @param configFile its `config.toml`.
 */
export async function criContainerd(directory: string, configFile: string): Promise<CriContainerd> {
  await using stack = new AsyncDisposableStack();
  const at = (name: string): string => join(directory, name);
  const folders = ['--root', at('root'), '--state', at('state'), '--address', at('containerd.sock')];
  stack.use(startProcess('containerd', ['--config', configFile, ...folders]));
  const env = {
    PATH: `${dirname(CRICTL.path)}:${process.env['PATH']}`,
    HOME: directory,
    CONTAINER_RUNTIME_ENDPOINT: `unix://${at('containerd.sock')}`,
    IMAGE_SERVICE_ENDPOINT: `unix://${at('containerd.sock')}`,
    CONTAINERD_ADDRESS: at('containerd.sock'),
    CONTAINERD_SNAPSHOTTER: 'native',
  };
  await until("containerd's CRI plugin answers", async () =>
    (await attempt('crictl', ['version'], { env })).code === 0 ? true : undefined,
  );
  const owned = stack.move();
  return {
    shell: async (line) => run('bash', ['-c', line], { env }),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
