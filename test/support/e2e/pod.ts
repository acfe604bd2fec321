import { randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CriContainerd } from './cri-containerd.ts';
import { until } from './until.ts';

/** A running pod with one container. Disposing of it leaves no process of it behind. */
export interface Pod extends AsyncDisposable {
  /** Returns what the container has written. */
  output(): Promise<string>;
}

export interface PodOptions {
  /** For its files and its log: the directory that containerd has. */
  readonly directory: string;
  readonly namespace: string;
  /** An image that containerd has. */
  readonly image: string;
}

/** `NamespaceMode.NODE` of the CRI: the network of the machine. */
const NETWORK_OF_NODE = 2;

/** Starts a pod as the kubelet does, by the CRI: a sandbox, a container in it, and its program. */
export async function startPod(engine: CriContainerd, options: PodOptions): Promise<Pod> {
  await using stack = new AsyncDisposableStack();
  const at = (name: string): string => join(options.directory, name);
  const uid = randomUUID();
  const network = { security_context: { namespace_options: { network: NETWORK_OF_NODE } } };
  const pod = {
    metadata: { name: 'app', namespace: options.namespace, uid, attempt: 0 },
    log_directory: at(`logs-${uid}`),
    linux: network,
  };
  const container = {
    metadata: { name: 'app' },
    image: { image: options.image },
    log_path: 'app.log',
    linux: {},
  };
  await writeFile(at('pod.json'), JSON.stringify(pod));
  await writeFile(at('container.json'), JSON.stringify(container));
  const sandbox = (await engine.shell(`crictl runp ${at('pod.json')}`)).trim();
  stack.defer(async () => remove(engine, sandbox));
  const files = `${at('container.json')} ${at('pod.json')}`;
  const id = (await engine.shell(`crictl create --no-pull ${sandbox} ${files}`)).trim();
  await engine.shell(`crictl start ${id}`);
  const owned = stack.move();
  return {
    output: async () => engine.shell(`crictl logs ${id}`),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

async function remove(engine: CriContainerd, sandbox: string): Promise<void> {
  await engine.shell(`crictl rmp --force ${sandbox}`);
  await until("the pod's shim has ended", async () => ((await isShimRunning(sandbox)) ? undefined : true));
}

/** Whether a process of containerd's serves the sandbox; its arguments name it. */
async function isShimRunning(sandbox: string): Promise<boolean> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes('containerd-shim') && line.includes(sandbox)) return true;
  }
  return false;
}
