import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { migrate } from '../../../src/index/sqlite/migrate.ts';
import { MIGRATIONS } from '../../../src/index/sqlite/schema.ts';
import { threadsFor } from '../../../src/threads.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { larder, type Larder } from '../../support/e2e/larder.ts';
import { startProcess, type RunningProcess } from '../../support/e2e/process.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import { until } from '../../support/e2e/until.ts';
import { get, type RequestOptions } from '../../support/http-get.ts';
import { loopbackAddresses } from '../../support/loopback.ts';
import { neverRespond } from '../../support/scripted-reply.ts';

const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');
const PASSWORD = 'hunter2-in-the-larder';
const AUTH = { kind: 'bearer', account: { username: 'bot', password: PASSWORD } } as const;

/** The program in front of a fake registry. */
function mirrorOf(registry: FakeRegistry, config: object = {}): Promise<Larder> {
  const credentials = { username: 'bot', password: '${TEST_PASSWORD}' };
  const upstreams = { 'registry.test': { url: registry.url.href, credentials } };
  return larder({ upstreams, ...config }, { env: { TEST_PASSWORD: PASSWORD } });
}

function ask({ url }: Larder, path: string, asked?: RequestOptions): ReturnType<typeof get> {
  return get(new URL(url), path, asked);
}

type Line = Readonly<Record<string, unknown>>;

/** The access log, once it has so many lines. */
async function accessLog({ process }: Larder, count: number): Promise<readonly Line[]> {
  return until(`${count} requests are logged`, () => {
    const lines = process.stdout().split('\n').slice(0, -1);
    const requests = lines
      .map((line) => JSON.parse(line) as Line)
      .filter(({ msg, requestKind }) => msg === 'request' && requestKind !== 'other');
    return requests.length >= count ? requests : undefined;
  });
}

test.runIf(process.platform === 'linux').each([
  ['by its cores', {}, threadsFor(availableParallelism())],
  ['as the environment says', { UV_THREADPOOL_SIZE: '5' }, 5],
])('the program has threads %s', async (_, env, expected) => {
  await using registry = await startFakeRegistry();
  await using mirror = await larder({ upstreams: { 'registry.test': { url: registry.url.href } } }, { env });
  const tasks = `/proc/${mirror.process.pid}/task`;
  const names = (await readdir(tasks)).map((task) => readFile(join(tasks, task, 'comm'), 'utf8'));
  expect((await Promise.all(names)).filter((name) => name.startsWith('libuv-worker'))).toHaveLength(expected);
});

test('an index of an earlier version is made a newer one at the start, which is told before and after', async () => {
  await using registry = await startFakeRegistry();
  await using directory = await temporaryDirectory('old-index');
  const database = new DatabaseSync(join(directory.path, 'index.db'));
  migrate(database, 'index.db', MIGRATIONS.slice(0, 4));
  database.close();
  const config = { upstreams: { 'registry.test': { url: registry.url.href } } };
  await using mirror = await larder(config, { cacheDirectory: directory.path });
  await until(
    'the upgrade is logged',
    () => /is upgraded[^]*upgraded/.test(mirror.process.stdout()) || undefined,
  );
});

test.each([
  ['0755', 1],
  ['0701', 1],
  ['0750', 0],
])('a cache directory of mode %s is warned of %i times at the start', async (mode, count) => {
  await using registry = await startFakeRegistry();
  await using directory = await temporaryDirectory('open-to-others');
  await chmod(directory.path, Number.parseInt(mode, 8));
  const config = { upstreams: { 'registry.test': { url: registry.url.href } } };
  await using mirror = await larder(config, { cacheDirectory: directory.path });
  const { stdout } = await mirror.stop();
  const lines = stdout.split('\n').filter((line) => line.includes('may enter the cache directory'));
  expect(lines).toHaveLength(count);
});

test('what fails between listening and serving ends the program, which does not listen over a closed cache', async () => {
  await using directory = await temporaryDirectory('failing-start');
  const preload = join(directory.path, 'preload.mjs');
  // The start block is written once everything else has begun.
  await writeFile(
    preload,
    `const { write } = process.stderr;
     process.stderr.write = (text, ...rest) => {
       if (String(text).includes('registry.test')) throw new Error('standard error is gone');
       return write.call(process.stderr, text, ...rest);
     };`,
  );
  const config = join(directory.path, 'config.yaml');
  const cache = join(directory.path, 'cache');
  await writeFile(
    config,
    `listen: 127.0.0.1:0\ncache: { directory: ${cache} }\ndefaultUpstream: registry.test\nupstreams: { registry.test: { url: 'http://127.0.0.1:1' } }\n`,
  );
  await using program = startProcess(process.execPath, [
    '--import',
    preload,
    MAIN,
    'serve',
    '--config',
    config,
  ]);
  const { code, stderr } = await program.exited;
  expect([code, stderr]).toEqual([1, expect.stringContaining('larder: standard error is gone')]);
});

describe('the log', () => {
  test('is JSON on standard output, one access line a request, and the start block is not in it', async () => {
    await using registry = await startFakeRegistry({ auth: AUTH });
    await using mirror = await mirrorOf(registry);
    const image = registry.putImage('acme/app', '1');
    const headers = { 'user-agent': 'containerd/2', 'x-request-id': 'job-7' };
    await ask(mirror, '/v2/acme/app/manifests/1', { headers });
    await ask(mirror, '/v2/acme/app/manifests/1', { method: 'HEAD' });
    await ask(mirror, '/v2/acme/app/manifests/none');
    expect(await accessLog(mirror, 3)).toMatchObject([
      {
        level: 30,
        id: 'job-7',
        client: '127.0.0.1',
        userAgent: 'containerd/2',
        method: 'GET',
        url: '/v2/acme/app/manifests/1',
        requestKind: 'manifest',
        upstream: 'registry.test',
        repository: 'acme/app',
        reference: '1',
        outcome: 'miss',
        status: 200,
        bytes: image.bytes.length,
        complete: true,
      },
      { method: 'HEAD', outcome: 'hit', bytes: 0, complete: true },
      { status: 404, outcome: 'error', error: expect.stringContaining('registry.test: ') as string },
    ]);
    expect(mirror.process.stderr()).toContain(mirror.url);
    expect(mirror.process.stdout()).not.toContain('registry-mirrors');
  });

  test('holds no secret, of ours or of the client, even when it tells everything', async () => {
    await using registry = await startFakeRegistry({ auth: AUTH, redirectBlobs: true });
    await using mirror = await mirrorOf(registry, { log: { level: 'trace' } });
    const { layers } = registry.putImage('acme/app', '1');
    const headers = { authorization: 'Bearer token-of-the-client', cookie: 'session=of-the-client' };
    await ask(mirror, '/v2/acme/app/manifests/1', { headers });
    const blob = await ask(mirror, `/v2/acme/app/blobs/${layers[0]?.digest}`, { headers });
    expect(blob.status).toBe(200);
    await accessLog(mirror, 2);
    const { stdout, stderr } = await mirror.stop();
    expect(stdout).toContain('"target":"token"');
    const secrets = [PASSWORD, Buffer.from(`bot:${PASSWORD}`).toString('base64'), 'token-1', 'signature'];
    for (const secret of [...secrets, 'token-of-the-client', 'session=']) {
      expect(`${stdout}${stderr}`).not.toContain(secret);
    }
  });

  test('is for people where the config says so', async () => {
    await using mirror = await larder({ log: { format: 'pretty', level: 'debug' } });
    await ask(mirror, '/v2/');
    await until(
      'the request is logged',
      () => /DEBUG: request\n.*url: "\/v2\/"/s.test(mirror.process.stdout()) || undefined,
    );
  });

  test.each([
    ['warn', 0],
    ['silent', 0],
    ['info', 1],
  ])('level %s: a pull is %i lines', async (level, count) => {
    await using registry = await startFakeRegistry();
    await using mirror = await larder({
      upstreams: { 'registry.test': { url: registry.url.href } },
      log: { level },
    });
    registry.putImage('acme/app', '1');
    await ask(mirror, '/v2/acme/app/manifests/1');
    const { stdout } = await mirror.stop();
    expect(stdout.split('\n').filter((line) => line.includes('"msg":"request"'))).toHaveLength(count);
  });
});

test('/metrics tells what was pulled', async () => {
  await using registry = await startFakeRegistry();
  await using mirror = await larder({ upstreams: { 'registry.test': { url: registry.url.href } } });
  const content = Buffer.from('a layer');
  const { digest } = registry.putBlob('acme/app', content);
  for (let time = 0; time < 2; time += 1) await ask(mirror, `/v2/acme/app/blobs/${digest}`);
  await accessLog(mirror, 2);
  const pulled = 'kind="blob",upstream="registry.test"';
  await expect
    .poll(async () => Object.fromEntries(await mirror.metrics()))
    .toMatchObject({
      [`larder_requests_total{${pulled},outcome="miss",status="200"}`]: 1,
      [`larder_requests_total{${pulled},outcome="hit",status="200"}`]: 1,
      [`larder_client_bytes_total{${pulled}}`]: 2 * content.length,
      'larder_upstream_bytes_total{upstream="registry.test"}': content.length,
      'larder_upstream_requests_total{upstream="registry.test",method="GET",target="blob",result="ok"}': 1,
      'larder_first_byte_seconds_count{kind="blob",outcome="hit"}': 1,
      'larder_fills_total{upstream="registry.test",outcome="stored"}': 1,
      larder_fills: 0,
      larder_store_blobs: 1,
      larder_store_bytes: content.length,
    });
});

test('what is shared is confirmed in the background, and what waits for that is a metric', async () => {
  await using registry = await startFakeRegistry();
  await using mirror = await larder({ upstreams: { 'registry.test': { url: registry.url.href } } });
  const layer = Buffer.from('a layer');
  for (const name of ['acme/base', 'acme/app']) registry.putImage(name, '1', { layers: [layer] });
  const asked = neverRespond();
  registry.fault({ kind: 'blob', repository: 'acme/app' }, asked);
  await ask(mirror, `/v2/acme/base/blobs/${digestOf(layer)}`);
  await ask(mirror, '/v2/acme/app/manifests/1');
  await asked.reached;
  const waiting = async (): Promise<number | undefined> =>
    (await mirror.metrics()).get('larder_confirmations_waiting{upstream="registry.test"}');
  expect(await waiting()).toBe(1);
  asked.release();
  await expect.poll(waiting).toBe(0);
});

describe('the start block', () => {
  interface Started extends AsyncDisposable {
    readonly running: RunningProcess;
    readonly directory: string;
  }

  async function start(listen: string): Promise<Started> {
    await using stack = new AsyncDisposableStack();
    const { path: directory } = stack.use(await temporaryDirectory('start'));
    const file = join(directory, 'config.yaml');
    await writeFile(file, `listen: "${listen}"\ncache: { directory: ${directory}/cache, maxSize: 1GiB }\n`);
    const running = stack.use(startProcess(process.execPath, [MAIN, 'serve', '--config', file]));
    const owned = stack.move();
    return { running, directory, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }

  async function blockOf({ running }: Started): Promise<string> {
    return until('the start block', () =>
      running.stderr().includes('registry-mirrors') ? running.stderr() : undefined,
    );
  }

  test.each(loopbackAddresses())('names the port that %s was given', async (host) => {
    await using started = await start(host.includes(':') ? `[${host}]:0` : `${host}:0`);
    const block = await blockOf(started);
    const [, url = ''] = /^ {2}listening {2}(http:\/\/\S+)$/m.exec(block) ?? [];
    expect((await fetch(`${url}/v2/`)).status).toBe(200);
    expect(block).toContain(`${started.directory}/cache (0 blobs, 0 B of 1GiB)`);
    expect(block).toContain(`"registry-mirrors": ["${url}"]`);
  });

  test.each(['0.0.0.0:0', ':0'])('says that %s is every address', async (listen) => {
    await using started = await start(listen);
    const block = await blockOf(started);
    const [, url = ''] = /^ {2}listening {2}(http:\/\/localhost:\d+), .*every/m.exec(block) ?? [];
    expect((await fetch(`${url.replace('localhost', '127.0.0.1')}/v2/`)).status).toBe(200);
  });
});
