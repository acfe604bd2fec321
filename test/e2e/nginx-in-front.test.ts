/** The nginx file of docs/second-machine.md, in front of Larder: what goes through it is what Larder says. */
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { readByteranges } from '../support/byteranges.ts';
import type { Larder } from '../support/e2e/larder.ts';
import { loggedRequests } from '../support/e2e/logged-pulls.ts';
import { attempt, startProcess, type Exit } from '../support/e2e/process.ts';
import { larderOfPage, nginxOfPage, type NginxOfPage } from '../support/e2e/second-machine-page.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';
import { startFakeRegistry, type FakeRegistry } from '../support/fake-registry.ts';
import { chunked, cutAfter, stallAfter, status, type Fault } from '../support/scripted-reply.ts';

const MIB = 1024 * 1024;
const CLIENT = '127.0.0.9';
const ELSEWHERE = '203.0.113.7';

interface Scene extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: Larder;
  readonly front: NginxOfPage;
  readonly url: string;
  /** A file of the test's own. */
  at(name: string): string;
  /** The arguments of a curl that asks from CLIENT and knows the authority. */
  curlArguments(...args: readonly string[]): readonly string[];
  curl(...args: readonly string[]): Promise<Exit>;
}

async function startScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('curl'));
  const registry = stack.use(await startFakeRegistry());
  const upstreams = { 'docker.io': { url: registry.url.href.replace(/\/$/, '') } };
  const mirror = stack.use(await larderOfPage('Larder, behind nginx', upstreams));
  const front = stack.use(await nginxOfPage(mirror));
  const resolved = ['--resolve', `${front.host}:127.0.0.1`, '--interface', CLIENT];
  const own = ['--silent', '--show-error', '--path-as-is', '--cacert', front.authorityFile, ...resolved];
  const owned = stack.move();
  return {
    registry,
    mirror,
    front,
    url: `https://${front.host}`,
    at: (name) => join(directory.path, name),
    curlArguments: (...args) => [...own, ...args],
    curl: (...args) => attempt('curl', [...own, ...args]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The status line, and the headers with names in lower case. The body goes to a file, if at all. */
async function headersOf(
  scene: Scene,
  args: readonly string[],
  file = '/dev/null',
): Promise<Readonly<Record<string, string>>> {
  const exit = await scene.curl('--output', file, '--dump-header', '-', ...args);
  const [line = '', ...fields] = exit.stdout.trim().split('\r\n');
  const pairs = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
  });
  return { line, ...(Object.fromEntries(pairs) as Record<string, string>) };
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

test('a cold blob reaches the client while it is fetched', async () => {
  await using it = await startScene();
  const content = randomBytes(30 * MIB);
  const { digest } = it.registry.putBlob('acme/app', content);
  const half = stallAfter(15 * MIB);
  it.registry.fault({ kind: 'blob' }, half);
  const file = it.at('blob');

  await using pull = startProcess(
    'curl',
    it.curlArguments('--output', file, `${it.url}/v2/acme/app/blobs/${digest}`),
  );
  await until('the client has nearly all that was sent', async () =>
    (await sizeOf(file)) >= 14 * MIB ? true : undefined,
  );
  const hit = it.registry.requests.find(({ kind }) => kind === 'blob');
  expect(hit?.bytesSent).toBe(15 * MIB);
  half.release();

  expect(await pull.exited).toMatchObject({ code: 0 });
  expect(digestOf(await readFile(file))).toBe(digest);
});

test('what a slow client has not taken yet waits in Larder, and not on nginx’s disk', async () => {
  await using it = await startScene();
  const { digest } = it.registry.putBlob('acme/app', randomBytes(30 * MIB));
  const slowly = ['--limit-rate', '100K', '--output', it.at('blob')];

  await using pull = startProcess(
    'curl',
    it.curlArguments(...slowly, `${it.url}/v2/acme/app/blobs/${digest}`),
  );
  await until('upstream has sent all', () =>
    it.registry.requests.some(({ kind, complete }) => kind === 'blob' && complete) ? true : undefined,
  );
  await pull.stop();

  // It warns where it writes an answer to a file.
  expect(it.front.nginx.process.stderr()).toBe('');
});

test.each(['cold', 'cached'])('parts of a %s blob, one and several at once', async (state) => {
  await using it = await startScene();
  const content = randomBytes(MIB);
  const { digest } = it.registry.putBlob('acme/app', content);
  const url = `${it.url}/v2/acme/app/blobs/${digest}`;
  if (state === 'cached') await it.curl('--output', '/dev/null', url);
  const file = it.at('parts');

  const several = await headersOf(it, ['--range', '10-19,500000-500099,-7', url], file);
  const parts = readByteranges(await readFile(file), several['content-type']);
  const one = await headersOf(it, ['--range', '70000-70009', url], file);

  expect([several['line'], one['line']]).toEqual(Array(2).fill('HTTP/1.1 206 Partial Content'));
  expect(one['content-range']).toBe(`bytes 70000-70009/${MIB}`);
  expect(await readFile(file)).toEqual(content.subarray(70_000, 70_010));
  const asked = [content.subarray(10, 20), content.subarray(500_000, 500_100), content.subarray(-7)];
  expect(parts.map(({ bytes }) => bytes)).toEqual(asked);
});

test('the Link to the next page leads back through nginx', async () => {
  await using it = await startScene();
  const tags = ['1', '2', '3', '4', '5'];
  for (const tag of tags) it.registry.putImage('acme/app', tag);

  const seen: string[] = [];
  const origins = new Set<string>();
  let next: string | undefined = `${it.url}/v2/acme/app/tags/list?n=2`;
  while (next !== undefined) {
    const page = JSON.parse((await it.curl(next)).stdout) as { tags: readonly string[] };
    seen.push(...page.tags);
    origins.add(new URL(next).origin);
    next = nextOf(next, (await headersOf(it, [next]))['link'] ?? '');
  }

  expect(seen).toEqual(tags);
  expect([...origins]).toEqual([it.url]);
});

/** Where a client goes on, by the Link that it got from `url`. */
function nextOf(url: string, link: string): string | undefined {
  const [, target] = /^<([^>]+)>; rel="next"$/.exec(link) ?? [];
  return target === undefined ? undefined : new URL(target, url).href;
}

test('a manifest comes as it is to a client that takes compressed text, and HEAD says what GET says', async () => {
  await using it = await startScene();
  const image = it.registry.putImage('acme/app', '1', { config: { comment: 'x'.repeat(1000) } });
  const asked = ['--header', 'Accept-Encoding: gzip', `${it.url}/v2/acme/app/manifests/1`];

  const got = await headersOf(it, asked);
  const head = await headersOf(it, ['--head', ...asked]);

  expect(got['content-encoding']).toBeUndefined();
  for (const headers of [got, head]) {
    expect(headers).toMatchObject({
      line: 'HTTP/1.1 200 OK',
      'content-length': String(image.descriptor.size),
      'docker-content-digest': image.digest,
    });
  }
});

test.each<[string, readonly Fault[]]>([
  ['its length is known', []],
  ['it is not', [chunked()]],
])('an answer that breaks off is broken off for the client where %s', async (_, verbs) => {
  await using it = await startScene();
  const { digest } = it.registry.putBlob('acme/app', randomBytes(3 * MIB));
  // What is asked for again, by Range, is refused: the transfer cannot be taken up where it broke.
  const breaking: Fault = (reply) => (reply.status === 206 ? status(503) : cutAfter(MIB)(reply));
  it.registry.fault({ kind: 'blob' }, ...verbs, breaking);
  const file = it.at('blob');

  const exit = await it.curl('--output', file, `${it.url}/v2/acme/app/blobs/${digest}`);

  // CURLE_PARTIAL_FILE
  expect(exit).toMatchObject({ code: 18 });
  expect(await sizeOf(file)).toBeGreaterThan(0);
  expect(await sizeOf(file)).toBeLessThanOrEqual(MIB);
});

test('the log has the client’s address, whatever the client says of itself', async () => {
  await using it = await startScene();
  it.registry.putImage('acme/app', '1');
  const url = `${it.url}/v2/acme/app/manifests/1`;
  const lies = [
    [],
    ['--header', `X-Forwarded-For: ${ELSEWHERE}`],
    ['--header', `Forwarded: for=${ELSEWHERE}`],
    ['--header', `X-Forwarded-For: ${ELSEWHERE}`, '--header', `Forwarded: for=${ELSEWHERE}`],
  ];

  for (const lie of lies) await it.curl('--fail', ...lie, url);

  const logged = await until('all requests are logged', () => {
    const manifests = loggedRequests(it.mirror).filter(({ requestKind }) => requestKind === 'manifest');
    return manifests.length === lies.length ? manifests : undefined;
  });
  expect(logged.map(({ client }) => client)).toEqual(lies.map(() => CLIENT));
});

test('the words beside a status pass', async () => {
  await using it = await startScene();
  it.registry.putImage('acme/app', '1');
  await it.registry.close();

  const { line } = await headersOf(it, [`${it.url}/v2/acme/app/manifests/1`]);

  expect(line).toMatch(/^HTTP\/1\.1 502 docker\.io: 127\.0\.0\.1:\d+: connection refused/);
});

test('a push is refused in a registry’s words, however large it is', async () => {
  await using it = await startScene();
  const layer = it.at('layer');
  await writeFile(layer, randomBytes(4 * MIB));
  const put = ['--request', 'PUT', '--data-binary', `@${layer}`];

  const exit = await it.curl(...put, '--write-out', '%{http_code}', `${it.url}/v2/acme/app/blobs/uploads/1`);

  expect(exit.stdout).toMatch(/"code":"UNSUPPORTED".*405$/);
});

test('/metrics is not for clients', async () => {
  await using it = await startScene();

  const exit = await it.curl('--write-out', '%{http_code}', '--output', '/dev/null', `${it.url}/metrics`);

  expect(exit.stdout).toBe('404');
});
