/** README's set-up of containerd and docs/clients.md, followed to the letter but for addresses and folders. */
import { join } from 'node:path';
import { expect, inject, test, type TestContext } from 'vitest';
import { countingProxy, type CountingProxy } from '../support/e2e/counting-proxy.ts';
import {
  containerdMajor,
  criContainerd,
  crictlUnable,
  onAnyFileSystem,
  stockConfig,
  type CriContainerd,
} from '../support/e2e/cri-containerd.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { changed, documented, placed } from '../support/e2e/documented.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { run } from '../support/e2e/process.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';
import { eachOnce, transfers } from '../support/e2e/upstream-requests.ts';

const HEADING = 'containerd, Kubernetes, nerdctl';
const CONFIG_FOR_1 = documented('README.md', HEADING, 0);
const CONFIG_FOR_2 = documented('README.md', HEADING, 1);
const HOSTS = documented('README.md', HEADING, 2);
const [CRICTL_PULL = '', CTR_PULL = '', CURL = ''] = documented('README.md', HEADING, 3).text.split('\n');
const DEFAULT_HOSTS = documented('docs/clients.md', 'What hosts.toml means');

const LARDER = 'http://127.0.0.1:5000';
const HUB = 'https://registry-1.docker.io';
const { app, storage } = inject('stock');
const appDigests = [app.manifest, app.config, ...app.layers.map((layer) => layer.descriptor)].map(
  (descriptor) => descriptor.digest,
);

const unable = await crictlUnable();
if (unable !== undefined) console.log(`skipped, crictl cannot be had here: ${unable}`);

function needsCrictl(context: TestContext): void {
  context.skip(unable !== undefined, unable);
}

/** README's block for the containerd that is here, with the folder below `root`. */
async function writeConfig(root: string): Promise<string> {
  const major = await containerdMajor();
  const { path, text } = major === 1 ? CONFIG_FOR_1 : CONFIG_FOR_2;
  const own = changed(text, { '/etc/containerd': join(root, '/etc/containerd') });
  return placed(root, path, onAnyFileSystem(own, major));
}

/** The image that README names, but small: what is unpacked is of no matter here. */
async function putSmallDebian(host: string): Promise<void> {
  const places = [`docker://${host}/team/app:1`, `docker://${host}/library/debian:bookworm`];
  const tls = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  await run('skopeo', ['copy', '--quiet', '--preserve-digests', ...tls, ...places]);
}

/** Where a registry's `hosts.toml` goes, with what README puts into it. */
async function writeHosts(root: string, name: string, addresses: Record<string, string>): Promise<void> {
  await placed(root, changed(HOSTS.path, { 'docker.io': name }), changed(HOSTS.text, addresses));
}

/** Manifests that clients asked Larder for, by its metrics. */
async function pullsOf(mirror: Larder, upstream: string): Promise<number> {
  const pulls = [...(await mirror.metrics())].filter(
    ([name]) =>
      name.startsWith('larder_requests_total{kind="manifest"') && name.includes(`upstream="${upstream}"`),
  );
  return pulls.reduce((sum, [, count]) => sum + count, 0);
}

test('what README says makes crictl and ctr pull through Larder, which alone asks the registry', async (context) => {
  needsCrictl(context);
  await using root = await temporaryDirectory('cri');
  await using registry = await dockerRegistry({ stock: storage });
  await putSmallDebian(registry.directHost);
  await using itself = await countingProxy(registry.directUrl);
  await using mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });
  await using engine = await criContainerd(root.path, await writeConfig(root.path));
  // After the start: README says that no restart is needed for it.
  await writeHosts(root.path, 'docker.io', { [LARDER]: mirror.url, [HUB]: itself.url });

  await engine.shell(CRICTL_PULL);
  expect(transfers(registry.proxy.requests)).toEqual(eachOnce(appDigests));
  const pulledByCrictl = await pullsOf(mirror, 'docker.io');
  expect(pulledByCrictl).toBeGreaterThan(0);

  await engine.shell(changed(CTR_PULL, { '/etc/containerd': join(root.path, '/etc/containerd') }));
  expect(await pullsOf(mirror, 'docker.io')).toBeGreaterThan(pulledByCrictl);

  expect(itself.connections()).toBe(0);
  const shown = await engine.shell(changed(CURL, { 'localhost:5000': mirror.host }));
  expect(shown).toContain('kind="manifest",upstream="docker.io"');
  await until('the log tells of it', () =>
    mirror.process.stdout().includes('"url":"/v2/library/debian/manifests/bookworm?ns=docker.io"')
      ? true
      : undefined,
  );
});

test('as it is installed, containerd passes Larder by without a word', async (context) => {
  needsCrictl(context);
  await using root = await temporaryDirectory('cri');
  await using registry = await dockerRegistry({ stock: storage });
  // A registry on this machine, so that it can be asked past the mirror.
  await using itself = await countingProxy(registry.directUrl);
  const name = hostOf(itself);
  await using mirror = await larder({ upstreams: { [name]: { url: registry.url } } });
  await writeHosts(root.path, name, { [LARDER]: mirror.url, [HUB]: itself.url });
  const stock = await stockConfig(await containerdMajor());

  await using first = await criContainerd(root.path, await placed(root.path, CONFIG_FOR_1.path, stock));
  await pull(first, `${name}/team/app:1`);
  expect(transfers(itself.requests)).toEqual(eachOnce(appDigests));
  expect(await pullsOf(mirror, name)).toBe(0);
  await first[Symbol.asyncDispose]();
  itself.clear();

  const set = stock.replace(/(\.registry\]\n +config_path = ).*/, `$1"${certsBelow(root.path)}"`);
  await using second = await criContainerd(root.path, await placed(root.path, CONFIG_FOR_1.path, set));
  await pull(second, `${name}/team/app:1`);
  expect(transfers(registry.proxy.requests)).toEqual(eachOnce(appDigests));
  expect(itself.connections()).toBe(0);
});

test('_default is for every registry, and what Larder fails to give comes from the registry', async (context) => {
  needsCrictl(context);
  await using root = await temporaryDirectory('cri');
  await using registry = await dockerRegistry({ stock: storage });
  await using itself = await countingProxy(registry.directUrl);
  await using foreign = await countingProxy(registry.directUrl);
  const name = hostOf(itself);
  await using mirror = await larder({ upstreams: { [name]: { url: registry.url } } });
  await placed(root.path, DEFAULT_HOSTS.path, changed(DEFAULT_HOSTS.text, { [LARDER]: mirror.url }));
  await using engine = await criContainerd(root.path, await writeConfig(root.path));

  await pull(engine, `${name}/team/app:1`);
  expect(transfers(registry.proxy.requests)).toEqual(eachOnce(appDigests));
  expect(itself.connections()).toBe(0);

  await pull(engine, `${hostOf(foreign)}/team/app:1`);
  expect(transfers(foreign.requests)).toEqual(eachOnce(appDigests));

  await mirror.stop();
  await pull(engine, `${name}/team/app:1`);
  expect(transfers(itself.requests)).toEqual(eachOnce(appDigests));
});

function hostOf(proxy: CountingProxy): string {
  return `127.0.0.1:${proxy.port}`;
}

function certsBelow(root: string): string {
  return join(root, '/etc/containerd/certs.d');
}

/** Pulls an image and drops it, so that the next pull asks for all of it again. */
async function pull(engine: CriContainerd, image: string): Promise<void> {
  await engine.shell(`crictl pull ${image}`);
  await engine.shell(`crictl rmi ${image}`);
}
