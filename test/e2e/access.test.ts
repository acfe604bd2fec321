/** Real clients log in to a closed Larder, each in its own way; no client gets in by another. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ALICE, closedLarder, type ClosedLarder } from '../support/e2e/closed-larder.ts';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerd, type Dockerd } from '../support/e2e/dockerd.ts';
import { goTool } from '../support/e2e/go-tool.ts';
import { larderCommand } from '../support/e2e/larder.ts';
import { podman } from '../support/e2e/podman.ts';
import { attempt, run } from '../support/e2e/process.ts';
import type { Account } from '../support/e2e/token-server.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';

const { app, storage } = inject('stock');
const APP_LAYERS = app.layers.map((layer) => layer.diffId);
const WRONG = 'not-the-password';
/** What Docker, containerd, podman and skopeo say of a 401. */
const UNAUTHORIZED = /unauthorized|401|authentication required|authorization failed|invalid username/i;

let larder: ClosedLarder;
beforeAll(async () => {
  larder = await closedLarder(storage);
});
afterAll(async () => larder[Symbol.asyncDispose]());

/** An image that only alice and the robot may pull, by Larder's name. */
const privateImage = (): string => `${larder.mirror.host}/ghcr.io/team/app:1`;

describe('docker', () => {
  let engine: Dockerd;
  beforeAll(async () => {
    // Docker Hub's own name, since a ping of the closed root would ask the daemon for its account at the Hub.
    engine = await dockerd(larder.front.url);
  });
  afterAll(async () => engine[Symbol.asyncDispose]());

  test('login with a wrong password fails, and with the right one pulls', async () => {
    const login = async (password: string): Promise<string> =>
      engine.docker('login', '--username', ALICE.username, '--password', password, larder.mirror.host);
    await expect(engine.docker('pull', privateImage())).rejects.toThrow(UNAUTHORIZED);
    await expect(login(WRONG)).rejects.toThrow(UNAUTHORIZED);
    await expect(engine.docker('pull', privateImage())).rejects.toThrow(UNAUTHORIZED);
    expect(await login(ALICE.password)).toContain('Login Succeeded');
    await engine.docker('pull', privateImage());
    expect(await engine.savedLayers(privateImage())).toEqual(APP_LAYERS);
  });

  test('pulls as before through registry-mirrors, and keeps its account at Docker Hub to itself', async () => {
    const config = join(engine.clientConfig, 'config.json');
    const account = Buffer.from('hub-user:hub-password').toString('base64');
    await mkdir(engine.clientConfig, { recursive: true });
    await writeFile(config, JSON.stringify({ auths: { 'https://index.docker.io/v1/': { auth: account } } }));
    await engine.docker('image', 'prune', '--all', '--force');
    larder.front.clear();
    await engine.docker('pull', 'team/app:1');
    expect(larder.front.requests.map(({ kind }) => kind)).toContain('ping');
    expect(larder.front.requests.filter(({ kind }) => kind === 'blob')).not.toEqual([]);
    expect(larder.front.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});

describe('containerd', () => {
  test('pulls by hosts.toml with the account that ctr gives', async () => {
    await using engine = await containerd({ 'ghcr.io': larder.mirror.url });
    const image = 'ghcr.io/team/app:1';
    await expect(engine.pull(image)).rejects.toThrow(UNAUTHORIZED);
    await expect(engine.pull(image, '--user', `alice:${WRONG}`)).rejects.toThrow(UNAUTHORIZED);
    await engine.pull(image, '--user', `alice:${ALICE.password}`);
    expect(await engine.hashedContent([app.manifest.digest])).toEqual([app.manifest.digest]);
  });

  test('pulls with a header of hosts.toml', async () => {
    const pair = Buffer.from(`alice:${ALICE.password}`).toString('base64');
    await using engine = await containerd(
      { 'ghcr.io': larder.mirror.url },
      { headers: { authorization: `Basic ${pair}` } },
    );
    await engine.pull('ghcr.io/team/app:1');
    expect(await engine.hashedContent([app.manifest.digest])).toEqual([app.manifest.digest]);
  });
});

test('podman logs in, and pulls by the mirror in registries.conf', async () => {
  await using engine = await podman({ 'ghcr.io': `${larder.mirror.host}/ghcr.io` });
  const login = async (password: string): Promise<string> =>
    engine.podman('login', '--tls-verify=false', '-u', 'alice', '-p', password, larder.mirror.host);
  await expect(login(WRONG)).rejects.toThrow(UNAUTHORIZED);
  expect(await login(ALICE.password)).toContain('Login Succeeded');
  await engine.podman('pull', '--quiet', 'ghcr.io/team/app:1');
  expect(await engine.savedLayers('ghcr.io/team/app:1')).toEqual(APP_LAYERS);
});

describe('skopeo --creds', () => {
  const inspect = async (credentials: string) =>
    attempt('skopeo', [
      'inspect',
      '--tls-verify=false',
      '--format={{.Digest}}',
      `--creds=${credentials}`,
      `docker://${privateImage()}`,
    ]);

  test('is refused with a wrong password, and lists and reads with the right one', async () => {
    expect((await inspect(`alice:${WRONG}`)).stderr).toMatch(UNAUTHORIZED);
    expect((await inspect(`alice:${ALICE.password}`)).stdout.trim()).toBe(app.manifest.digest);
  });

  test("takes a robot's token under any user name, until it is revoked", async () => {
    const config = ['--config', larder.mirror.configFile];
    const created = await larderCommand(['token', 'create', 'robot', ...config]);
    const credentials = `ci:${/larder_\S+/.exec(created.stdout)?.[0]}`;
    await expect
      .poll(async () => (await inspect(credentials)).stdout.trim(), { timeout: 10_000 })
      .toBe(app.manifest.digest);
    expect((await larderCommand(['token', 'revoke', 'robot', ...config])).code).toBe(0);
    await expect
      .poll(async () => (await inspect(credentials)).stderr, { timeout: 10_000 })
      .toMatch(UNAUTHORIZED);
  });
});

const CRANE = goTool('crane', 'github.com/google/go-containerregistry/cmd/crane', 'v0.20.6');
const craneUnable = await CRANE.install();
if (craneUnable !== undefined) console.log(`skipped, crane cannot be had here: ${craneUnable}`);

test.skipIf(craneUnable !== undefined)('crane logs in and reads', async () => {
  await using home = await temporaryDirectory('crane');
  const env = { HOME: home.path, DOCKER_CONFIG: home.path };
  const crane = async (...args: string[]): Promise<string> => run(CRANE.path, args, { env });
  const digest = async (): Promise<string> => crane('digest', '--insecure', privateImage());
  await expect(digest()).rejects.toThrow(UNAUTHORIZED);
  await crane('auth', 'login', larder.mirror.host, '-u', 'alice', '-p', ALICE.password);
  expect((await digest()).trim()).toBe(app.manifest.digest);
});

/** Not built here, as crane is: that takes minutes. */
const hasHelm = await run('helm', ['version']).then(
  () => true,
  () => false,
);
if (!hasHelm) console.log('skipped: there is no helm in PATH');

test.skipIf(!hasHelm)('helm logs in and pulls a chart', async () => {
  await using home = await temporaryDirectory('helm');
  const at = (name: string): string => join(home.path, name);
  const env = { HOME: home.path, HELM_REGISTRY_CONFIG: at('registry.json') };
  const helm = async (...args: string[]): Promise<string> => run('helm', args, { env, cwd: home.path });
  const login = async (host: string, { username, password }: Account): Promise<string> =>
    helm('registry', 'login', host, '--plain-http', '--username', username, '--password', password);
  const { mirror, ghcr } = larder;
  await mkdir(at('chart'));
  await writeFile(at('chart/Chart.yaml'), 'apiVersion: v2\nname: chart\nversion: 1.0.0\n');
  await helm('package', 'chart');
  await login(ghcr.directHost, ghcr.account ?? ALICE);
  await helm('push', 'chart-1.0.0.tgz', `oci://${ghcr.directHost}/team`, '--plain-http');

  const pull = async (): Promise<string> =>
    helm(
      'pull',
      `oci://${mirror.host}/ghcr.io/team/chart`,
      '--version',
      '1.0.0',
      '--plain-http',
      '-d',
      'out',
    );
  await mkdir(at('out'));
  await expect(pull()).rejects.toThrow(UNAUTHORIZED);
  await expect(login(mirror.host, { ...ALICE, password: WRONG })).rejects.toThrow(UNAUTHORIZED);
  await login(mirror.host, ALICE);
  await pull();
  expect(await readFile(at('out/chart-1.0.0.tgz'))).toEqual(await readFile(at('chart-1.0.0.tgz')));
});

test('no password and no token of these clients is in the log', async () => {
  const output = larder.mirror.process.stdout() + larder.mirror.process.stderr();
  expect(output).toContain('"user":"user:alice"');
  for (const secret of [ALICE.password, WRONG, 'hub-password']) {
    expect(output).not.toContain(secret);
    expect(output).not.toContain(Buffer.from(`alice:${secret}`).toString('base64'));
  }
});
