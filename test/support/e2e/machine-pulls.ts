import type { SecondMachine } from './second-machine.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

/** Pulls by a podman that knows the machine's /etc alone. */
export async function podmanPull(machine: SecondMachine, images: readonly string[]): Promise<void> {
  await using directory = await temporaryDirectory('podman');
  const at = (name: string): string => `${directory.path}/${name}`;
  const folders = ['--root', at('root'), '--runroot', at('run'), '--tmpdir', at('tmp')];
  const own = ['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
  for (const image of images) {
    await machine.run(
      'env',
      `HOME=${directory.path}`,
      'podman',
      ...folders,
      ...own,
      'pull',
      '--quiet',
      image,
    );
  }
}

/** Pulls by `ctr images pull` and the machine's hosts directory. */
export async function ctrPull(machine: SecondMachine, image: string): Promise<void> {
  await using directory = await temporaryDirectory('containerd');
  const at = (name: string): string => `${directory.path}/${name}`;
  await machine.place(
    '/etc/containerd/config.toml',
    'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n',
  );
  const folders = ['--root', at('root'), '--state', at('state'), '--address', at('socket')];
  await using _daemon = machine.start('containerd', folders);
  const ctr = ['--address', at('socket'), '--namespace', 'test'];
  await until('containerd answers', async () =>
    (await machine.attempt('ctr', ...ctr, 'version')).code === 0 ? true : undefined,
  );
  const pull = ['images', 'pull', '--snapshotter', 'native', '--hosts-dir', '/etc/containerd/certs.d'];
  await machine.run('ctr', ...ctr, ...pull, image);
}
