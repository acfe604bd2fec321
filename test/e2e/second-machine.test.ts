/** docs/second-machine.md, followed to the letter but for ports, by clients on a machine of their own. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { dockerRegistry, type DockerRegistry } from '../support/e2e/docker-registry.ts';
import { dockerdBy } from '../support/e2e/dockerd.ts';
import { changed, documented } from '../support/e2e/documented.ts';
import type { Larder } from '../support/e2e/larder.ts';
import { loggedPulls } from '../support/e2e/logged-pulls.ts';
import { ctrPull, podmanPull } from '../support/e2e/machine-pulls.ts';
import { run } from '../support/e2e/process.ts';
import { whyNoRemoteHost } from '../support/e2e/remote-host.ts';
import { secondMachine, type SecondMachine } from '../support/e2e/second-machine.ts';
import {
  larderOfPage,
  NAME,
  nginxOfPage,
  PAGE,
  type NginxOfPage,
} from '../support/e2e/second-machine-page.ts';
import { until } from '../support/e2e/until.ts';

const { storage, app } = inject('stock');
const missing = await whyNoRemoteHost();
if (missing !== undefined)
  console.log(`second-machine: skipped, since no network namespace can be made (${missing})`);

const OF_THE_HUB = 'docker.io/library/debian:latest';
const OF_ANOTHER = 'ghcr.io/acme/app:1.0';

const shared = new AsyncDisposableStack();
let registry: DockerRegistry;
let machine: SecondMachine;

beforeAll(async () => {
  if (missing !== undefined) return;
  registry = shared.use(await dockerRegistry({ stock: storage }));
  for (const name of ['library/debian:latest', 'acme/app:1.0']) await copyOfApp(name);
  machine = shared.use(await secondMachine(NAME));
});

afterAll(async () => shared.disposeAsync());

async function copyOfApp(name: string): Promise<void> {
  const tls = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const places = ['team/app:1', name].map((image) => `docker://${registry.directHost}/${image}`);
  await run('skopeo', ['copy', '--quiet', ...tls, ...places]);
}

async function mirrorOf(heading: string): Promise<Larder> {
  return larderOfPage(heading, { 'docker.io': { url: registry.url }, 'ghcr.io': { url: registry.url } });
}

/** Puts a file of the page where the page says, with the mirror's port in it. */
async function follow(heading: string, changes: Readonly<Record<string, string>>): Promise<void> {
  const { path, text } = documented(PAGE, heading);
  await machine.place(path, changed(text, changes));
}

/** What the log has to say of pulls by the machine. */
const FROM_HUB = { upstream: 'docker.io', repository: 'library/debian' };
const FROM_ANOTHER = { upstream: 'ghcr.io', repository: 'acme/app' };
const byMachine = (pull: object): object => ({ ...pull, client: machine.address });

describe.skipIf(missing !== undefined)('by plain http', () => {
  let mirror: Larder;
  /** What the mirror is called on the machine. */
  let host: string;

  beforeAll(async () => {
    mirror = await mirrorOf('Larder, for plain http');
    host = `${NAME}:${new URL(mirror.url).port}`;
  });
  afterAll(async () => mirror[Symbol.asyncDispose]());

  test('docker pull, of Docker Hub and by the mirror’s name', async () => {
    await using engine = await dockerdBy({ machine });
    await follow('Docker, by plain http', { [`${NAME}:5000`]: host });
    engine.reload();
    await until('dockerd knows the mirror', async () =>
      (await engine.docker('info')).includes(`http://${host}`) ? true : undefined,
    );

    const typed = changed(documented(PAGE, 'Docker, by plain http', 1).text, { [`${NAME}:5000`]: host });
    const [hub = '', other = '', ...more] = typed.split('\n').map((line) => line.split('#')[0]?.trim() ?? '');
    expect([hub, other, ...more]).toEqual([
      'docker pull debian',
      `docker pull ${host}/ghcr.io/acme/app:1.0`,
      '',
    ]);
    for (const line of [hub, other]) await engine.docker(...line.split(' ').slice(1));

    expect(await loggedPulls(mirror, 'docker', 2)).toEqual([FROM_HUB, FROM_ANOTHER].map(byMachine));
    expect(await engine.savedLayers('debian')).toEqual(app.layers.map((layer) => layer.diffId));
  });

  test('docker needs insecure-registries for the mirror’s name alone', async () => {
    await using engine = await dockerdBy({
      machine,
      daemonJson: JSON.stringify({ 'registry-mirrors': [`http://${host}`] }),
    });

    await engine.docker('pull', 'debian');

    await expect(engine.docker('pull', `${host}/ghcr.io/acme/app:1.0`)).rejects.toThrow(
      'server gave HTTP response to HTTPS client',
    );
  });

  test('podman pull, by a short name and of another registry', async () => {
    await follow('podman, buildah, skopeo and CRI-O, by plain http', { [`${NAME}:5000`]: host });

    await podmanPull(machine, ['debian', OF_ANOTHER]);

    expect(await loggedPulls(mirror, 'containers', 2)).toEqual([FROM_HUB, FROM_ANOTHER].map(byMachine));
  });

  test('ctr images pull', async () => {
    await follow('containerd, Kubernetes and nerdctl, by plain http', { [`${NAME}:5000`]: host });

    await ctrPull(machine, OF_THE_HUB);

    expect(await loggedPulls(mirror, 'containerd', 1)).toEqual([byMachine(FROM_HUB)]);
  });
});

describe.skipIf(missing !== undefined)('by https, nginx in front', () => {
  let mirror: Larder;
  let front: NginxOfPage;

  beforeAll(async () => {
    mirror = await mirrorOf('Larder, behind nginx');
    front = await nginxOfPage(mirror);
  });
  afterAll(async () => {
    await front[Symbol.asyncDispose]();
    await mirror[Symbol.asyncDispose]();
  });

  test('docker pull, of Docker Hub and by the mirror’s name', async () => {
    await follow('Docker, by https', { [NAME]: front.host });
    await machine.place(`/etc/docker/certs.d/${front.host}/ca.crt`, front.authority);
    await using engine = await dockerdBy({ machine });

    await engine.docker('pull', 'debian');
    await engine.docker('pull', `${front.host}/ghcr.io/acme/app:1.0`);

    expect(await loggedPulls(mirror, 'docker', 2)).toEqual([FROM_HUB, FROM_ANOTHER].map(byMachine));
  });

  test('podman pull, by a short name and of another registry', async () => {
    await follow('podman, buildah, skopeo and CRI-O, by https', { [NAME]: front.host });
    await machine.place(`/etc/containers/certs.d/${front.host}/ca.crt`, front.authority);

    await podmanPull(machine, ['debian', OF_ANOTHER]);

    expect(await loggedPulls(mirror, 'containers', 2)).toEqual([FROM_HUB, FROM_ANOTHER].map(byMachine));
  });

  test('ctr images pull', async () => {
    await follow('containerd, Kubernetes and nerdctl, by https', {
      [`https://${NAME}`]: `https://${front.host}`,
    });
    await machine.place('/etc/containerd/certs.d/mirror.example.crt', front.authority);

    await ctrPull(machine, OF_THE_HUB);

    expect(await loggedPulls(mirror, 'containerd', 1)).toEqual([byMachine(FROM_HUB)]);
  });

  test('curl, by the authority’s file alone', async () => {
    const url = `https://${front.host}/v2/library/debian/manifests/latest`;
    await machine.place('/etc/authority.crt', front.authority);

    const known = await machine.run('curl', '--fail', '--cacert', '/etc/authority.crt', url);
    const unknown = await machine.attempt('curl', '--fail', url);

    expect(JSON.parse(known)).toMatchObject({ schemaVersion: 2 });
    expect(unknown.code).toBe(60);
  });
});
