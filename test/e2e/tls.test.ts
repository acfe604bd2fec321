/** docs/tls.md, followed to the letter but for ports and folders, by clients on a machine of their own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { dockerRegistry, type DockerRegistry } from '../support/e2e/docker-registry.ts';
import { dockerdBy } from '../support/e2e/dockerd.ts';
import { changed, documented } from '../support/e2e/documented.ts';
import { larder, type Config, type Larder } from '../support/e2e/larder.ts';
import { loggedPulls, loggedRequests } from '../support/e2e/logged-pulls.ts';
import { ctrPull, podmanPull } from '../support/e2e/machine-pulls.ts';
import { nginxInFront } from '../support/e2e/nginx-in-front.ts';
import { freePort } from '../support/e2e/port.ts';
import { attempt, run } from '../support/e2e/process.ts';
import { whyNoRemoteHost } from '../support/e2e/remote-host.ts';
import { secondMachine, type SecondMachine } from '../support/e2e/second-machine.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';

const PAGE = 'docs/tls.md';
const NAME = 'mirror.example';

const { storage } = inject('stock');
const missing = await whyNoRemoteHost();
if (missing !== undefined) console.log(`tls: skipped, since no network namespace can be made (${missing})`);

const shared = new AsyncDisposableStack();
let registry: DockerRegistry;
let machine: SecondMachine;
/** The folder in which the page's commands were typed. */
let folder: string;

beforeAll(async () => {
  if (missing !== undefined) return;
  registry = shared.use(await dockerRegistry({ stock: storage }));
  const tls = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  for (const name of ['library/debian:latest', 'acme/app:1.0']) {
    const places = ['team/app:1', name].map((image) => `docker://${registry.directHost}/${image}`);
    await run('skopeo', ['copy', '--quiet', ...tls, ...places]);
  }
  machine = shared.use(await secondMachine(NAME));
  folder = shared.use(await temporaryDirectory('tls')).path;
  await type(changed(documented(PAGE, "A certificate of one's own").text, { '192.0.2.7': '127.0.0.1' }));
  await type(documented(PAGE, 'Client certificates', 1).text);
});

afterAll(async () => shared.disposeAsync());

/** Runs commands of the page as a user types them. */
async function type(commands: string): Promise<void> {
  await run('sh', ['-e', '-c', commands], { cwd: folder });
}

function textOf(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** Starts Larder with the page's configuration. @returns it, and its name on the machine */
async function mirrorOf(more: Config = {}): Promise<{ mirror: Larder; host: string }> {
  const port = String(await freePort());
  const text = changed(documented(PAGE, 'https').text, { '5000': port, '/etc/larder': folder });
  const upstreams = { 'docker.io': { url: registry.url }, 'ghcr.io': { url: registry.url } };
  const config = { ...(parse(text) as Config), ...more, upstreams };
  return {
    mirror: await larder(config, { host: `127.0.0.1:${port}`, by: { ca: textOf('ca.crt') } }),
    host: `${NAME}:${port}`,
  };
}

const FROM_HUB = { upstream: 'docker.io', repository: 'library/debian' };
const FROM_ANOTHER = { upstream: 'ghcr.io', repository: 'acme/app' };
const byMachine = (pull: object): object => ({ ...pull, client: machine.address });

describe.skipIf(missing !== undefined)('by https of Larder itself', () => {
  let mirror: Larder;
  let host: string;

  beforeAll(async () => {
    ({ mirror, host } = await mirrorOf());
  });
  afterAll(async () => mirror[Symbol.asyncDispose]());

  /** Puts a file of the page where the page says, with the mirror's port in it. */
  async function follow(index: number): Promise<void> {
    const { path, text } = documented(PAGE, 'Clients that trust it', index);
    await machine.place(path, changed(text, { [`${NAME}:5000`]: host }));
  }

  test('docker pull, of Docker Hub and by the mirror’s name', async () => {
    await follow(0);
    await machine.place(`/etc/docker/certs.d/${host}/ca.crt`, textOf('ca.crt'));
    await using engine = await dockerdBy({ machine });

    await engine.docker('pull', 'debian');
    await engine.docker('pull', `${host}/ghcr.io/acme/app:1.0`);

    expect(await loggedPulls(mirror, 'docker', 2)).toEqual([FROM_HUB, FROM_ANOTHER].map(byMachine));
  });

  test('podman pull, and skopeo inspect', async () => {
    await follow(1);
    await machine.place(`/etc/containers/certs.d/${host}/ca.crt`, textOf('ca.crt'));

    await podmanPull(machine, ['debian']);
    const inspected = await machine.run('skopeo', 'inspect', `docker://${host}/ghcr.io/acme/app:1.0`);

    expect(JSON.parse(inspected)).toMatchObject({ Name: `${host}/ghcr.io/acme/app` });
    expect(await loggedPulls(mirror, 'containers', 1)).toEqual([byMachine(FROM_HUB)]);
    expect(loggedRequests(mirror).filter(({ userAgent }) => userAgent.startsWith('skopeo/'))).not.toEqual([]);
  });

  test('ctr images pull', async () => {
    await follow(2);
    await machine.place('/etc/containerd/certs.d/larder-ca.crt', textOf('ca.crt'));

    await ctrPull(machine, 'docker.io/library/debian:latest');

    expect(await loggedPulls(mirror, 'containerd', 1)).toEqual([byMachine(FROM_HUB)]);
  });

  test('curl, by the authority’s file alone', async () => {
    const url = `https://${host}/v2/library/debian/manifests/latest`;
    await machine.place('/etc/ca.crt', textOf('ca.crt'));

    const known = await machine.run('curl', '--fail', '--cacert', '/etc/ca.crt', url);

    expect(JSON.parse(known)).toMatchObject({ schemaVersion: 2 });
    expect((await machine.attempt('curl', url)).code).toBe(60);
    expect((await machine.attempt('curl', url.replace('https:', 'http:'))).code).not.toBe(0);
  });
});

test.skipIf(missing !== undefined)('clients need a certificate once clientCa is said', async () => {
  const port = String(await freePort());
  const written = documented(PAGE, 'Client certificates').text;
  await writeFile(join(folder, 'client-ca.crt'), textOf('ca.crt'));
  const config = parse(changed(written, { '/etc/larder': folder })) as Config;
  const upstreams = { 'docker.io': { url: registry.url } };
  const by = { ca: textOf('ca.crt'), cert: textOf('client.crt'), key: textOf('client.key') };
  await using mirror = await larder({ ...config, upstreams }, { host: `127.0.0.1:${port}`, by });

  const curl = ['--fail', '--cacert', 'ca.crt', `${mirror.url}/v2/library/debian/manifests/latest`];
  const known = await run('curl', ['--cert', 'client.crt', '--key', 'client.key', ...curl], { cwd: folder });
  expect(JSON.parse(known)).toMatchObject({ schemaVersion: 2 });
  expect((await attempt('curl', curl, { cwd: folder })).code).not.toBe(0);
});

test.skipIf(missing !== undefined)('nginx before a Unix socket names its clients', async () => {
  const socket = join(folder, 'larder.sock');
  const { trustedProxies } = parse(documented(PAGE, 'A Unix socket').text) as Config;
  const upstreams = { 'docker.io': { url: registry.url } };
  await using mirror = await larder({ trustedProxies, upstreams }, { by: { socketPath: socket } });
  const port = await freePort();
  await using front = await nginxInFront((directory) => {
    const upstream = changed(documented(PAGE, 'A Unix socket', 1).text, {
      '/run/larder/larder.sock': socket,
    });
    const ofPage = documented('docs/second-machine.md', 'nginx').text.replace(
      /upstream larder \{[^}]*\}/,
      upstream,
    );
    const text = changed(ofPage, { 'listen 443': `listen ${port}`, '/etc/nginx/tls': directory });
    return Promise.all([
      writeFile(join(directory, `${NAME}.crt`), textOf('tls.crt')),
      writeFile(join(directory, `${NAME}.key`), textOf('tls.key')),
    ]).then(() => text);
  });
  const url = `https://127.0.0.1:${port}/v2/library/debian/manifests/latest`;
  const curl = ['--fail', '--cacert', join(folder, 'ca.crt'), '--interface', '127.0.0.9', url];
  await until('nginx serves', async () => ((await attempt('curl', curl)).code === 0 ? true : undefined));
  expect(front.process.hasExited()).toBe(false);
  const logged = await until('the request is in the log', () =>
    loggedRequests(mirror).find(({ requestKind }) => requestKind === 'manifest'),
  );
  expect(logged).toMatchObject({ client: '127.0.0.9', status: 200 });
});
