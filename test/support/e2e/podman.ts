import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveLayers } from './hash.ts';
import { attempt, run } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/** podman with a storage of its own. */
export interface Podman extends AsyncDisposable {
  /** Runs `podman ARGS` as a user would type it. */
  podman(...args: string[]): Promise<string>;
  /** Computes the digests of an image's layers (of their tar files) from podman's disk. */
  savedLayers(image: string): Promise<readonly string[]>;
}

export interface PodmanOptions {
  /** Whether it fetches only the parts of a layer that no other layer has, if the layer's format allows that. */
  readonly pullsParts?: boolean;
  /** Runs podman. Absent: on this machine. */
  readonly run?: typeof run;
}

/** Sets podman up. @param mirrors a mirror's `host[:port][/prefix]` by the name of the registry that it mirrors */
export async function podman(
  mirrors: Readonly<Record<string, string>>,
  options: PodmanOptions = {},
): Promise<Podman> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('podman'));
  const at = (name: string): string => join(directory.path, name);
  await writeFile(at('registries.conf'), registriesConf(mirrors));
  const driver = options.pullsParts === true ? PARTS_STORAGE : WHOLE_STORAGE;
  const folders = [`graphroot = "${at('root')}"`, `runroot = "${at('run')}"`];
  await writeFile(at('storage.conf'), ['[storage]', ...folders, ...driver, ''].join('\n'));
  const env = {
    HOME: directory.path,
    XDG_RUNTIME_DIR: directory.path,
    CONTAINERS_REGISTRIES_CONF: at('registries.conf'),
    CONTAINERS_STORAGE_CONF: at('storage.conf'),
  };
  const own = ['--tmpdir', at('tmp'), '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
  const call = async (...args: string[]): Promise<string> =>
    (options.run ?? run)('podman', [...own, ...args], { env });
  stack.defer(async () => void (await attempt('podman', [...own, 'system', 'reset', '--force'], { env })));
  const owned = stack.move();
  return {
    podman: call,
    async savedLayers(image) {
      await call('save', '--quiet', '--format', 'docker-archive', '--output', at('saved.tar'), image);
      return archiveLayers(at('saved.tar'));
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

const WHOLE_STORAGE = ['driver = "vfs"'];

/** Only the overlay driver pulls parts. Its directory is not made a mount, which would outlive the test. */
const PARTS_STORAGE = [
  'driver = "overlay"',
  '[storage.options]',
  'pull_options = {enable_partial_images = "true", use_hard_links = "false", ostree_repos = ""}',
  '[storage.options.overlay]',
  'skip_mount_home = "true"',
];

/** Configures a mirror for each registry, and Docker Hub for names without a registry. */
function registriesConf(mirrors: Readonly<Record<string, string>>): string {
  const tables = Object.entries(mirrors).map(([registry, mirror]) =>
    [
      '[[registry]]',
      `prefix = "${registry}"`,
      `location = "${registry}"`,
      '[[registry.mirror]]',
      `location = "${mirror}"`,
      'insecure = true',
      '',
    ].join('\n'),
  );
  return ['unqualified-search-registries = ["docker.io"]', '', ...tables].join('\n');
}
