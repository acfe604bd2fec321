/** The nginx file of docs/second-machine.md, in front of Larder: what goes through it is what Larder says. */
import { randomBytes } from 'node:crypto';
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hash } from 'bcryptjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { readByteranges } from '../support/byteranges.ts';
import { ALICE } from '../support/e2e/closed-larder.ts';
import type { Larder } from '../support/e2e/larder.ts';
import { loggedRequests } from '../support/e2e/logged-pulls.ts';
import { attempt, startProcess, type Exit } from '../support/e2e/process.ts';
import { larderOfPage, nginxOfPage, type NginxOfPage } from '../support/e2e/second-machine-page.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';
import { startFakeRegistry, type FakeRegistry } from '../support/fake-registry.ts';
import {
  chunked,
  cutAfter,
  resetBeforeHeaders,
  stallAfter,
  status,
  type Fault,
} from '../support/scripted-reply.ts';

const MIB = 1024 * 1024;
const CLIENT = '127.0.0.9';
const ELSEWHERE = '203.0.113.7';
/** A name of the mirror that stands for one of its upstreams. */
const NAME_OF_GHCR = 'ghcr.mirror.example';

interface Scene extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: Larder;
  readonly front: NginxOfPage;
  readonly url: string;
  /** The name of a file that is not there yet. */
  newFile(): string;
  /** The arguments of a curl that asks from CLIENT and knows the authority. */
  curlArguments(...args: readonly string[]): readonly string[];
  curl(...args: readonly string[]): Promise<Exit>;
}

async function startScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('curl'));
  const registry = stack.use(await startFakeRegistry());
  const url = registry.url.href.replace(/\/$/, '');
  const upstreams = { 'docker.io': { url }, 'ghcr.io': { url, hosts: [NAME_OF_GHCR] } };
  const mirror = stack.use(await larderOfPage('Larder, behind nginx', upstreams));
  const front = stack.use(await nginxOfPage(mirror));
  const resolved = ['--resolve', `${front.host}:127.0.0.1`, '--interface', CLIENT];
  const own = ['--silent', '--show-error', '--path-as-is', '--cacert', front.authorityFile, ...resolved];
  let files = 0;
  const owned = stack.move();
  return {
    registry,
    mirror,
    front,
    url: `https://${front.host}`,
    newFile: () => join(directory.path, String((files += 1))),
    curlArguments: (...args) => [...own, ...args],
    curl: (...args) => attempt('curl', [...own, ...args]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(async () => scene[Symbol.asyncDispose]());

/** The status line, and the headers with names in lower case. The body goes to a file, if at all. */
async function headersOf(
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
  const content = randomBytes(30 * MIB);
  const { digest } = scene.registry.putBlob('acme/app', content);
  const half = stallAfter(15 * MIB);
  scene.registry.fault({ digest }, half);
  const file = scene.newFile();

  await using pull = startProcess(
    'curl',
    scene.curlArguments('--output', file, `${scene.url}/v2/acme/app/blobs/${digest}`),
  );
  await until('the client has nearly all that was sent', async () =>
    (await sizeOf(file)) >= 14 * MIB ? true : undefined,
  );
  const hit = scene.registry.requests.find((request) => request.digest === digest);
  expect(hit?.bytesSent).toBe(15 * MIB);
  half.release();

  expect(await pull.exited).toMatchObject({ code: 0 });
  expect(digestOf(await readFile(file))).toBe(digest);
});

test('what a slow client has not taken yet waits in Larder, and not on nginx’s disk', async () => {
  const { digest } = scene.registry.putBlob('acme/app', randomBytes(30 * MIB));
  const slowly = ['--limit-rate', '100K', '--output', scene.newFile()];

  await using pull = startProcess(
    'curl',
    scene.curlArguments(...slowly, `${scene.url}/v2/acme/app/blobs/${digest}`),
  );
  await until('upstream has sent all', () =>
    scene.registry.requests.some((request) => request.digest === digest && request.complete)
      ? true
      : undefined,
  );
  await pull.stop();

  // It warns where it writes an answer to a file.
  expect(scene.front.nginx.process.stderr()).not.toContain('buffered to a temporary file');
});

test.each(['cold', 'cached'])('parts of a %s blob, one and several at once', async (state) => {
  const content = randomBytes(MIB);
  const { digest } = scene.registry.putBlob('acme/app', content);
  const url = `${scene.url}/v2/acme/app/blobs/${digest}`;
  if (state === 'cached') await scene.curl('--output', '/dev/null', url);
  const file = scene.newFile();

  const several = await headersOf(['--range', '10-19,500000-500099,-7', url], file);
  const parts = readByteranges(await readFile(file), several['content-type']);
  const one = await headersOf(['--range', '70000-70009', url], file);

  expect([several['line'], one['line']]).toEqual(Array(2).fill('HTTP/1.1 206 Partial Content'));
  expect(one['content-range']).toBe(`bytes 70000-70009/${MIB}`);
  expect(await readFile(file)).toEqual(content.subarray(70_000, 70_010));
  const asked = [content.subarray(10, 20), content.subarray(500_000, 500_100), content.subarray(-7)];
  expect(parts.map(({ bytes }) => bytes)).toEqual(asked);
});

test('the Link to the next page leads back through nginx', async () => {
  const tags = ['1', '2', '3', '4', '5'];
  for (const tag of tags) scene.registry.putImage('acme/listed', tag);

  const seen: string[] = [];
  const origins = new Set<string>();
  let next: string | undefined = `${scene.url}/v2/acme/listed/tags/list?n=2`;
  while (next !== undefined) {
    const page = JSON.parse((await scene.curl(next)).stdout) as { tags: readonly string[] };
    seen.push(...page.tags);
    origins.add(new URL(next).origin);
    next = nextOf(next, (await headersOf([next]))['link'] ?? '');
  }

  expect(seen).toEqual(tags);
  expect([...origins]).toEqual([scene.url]);
});

/** Where a client goes on, by the Link that it got from `url`. */
function nextOf(url: string, link: string): string | undefined {
  const [, target] = /^<([^>]+)>; rel="next"$/.exec(link) ?? [];
  return target === undefined ? undefined : new URL(target, url).href;
}

test('a manifest comes as it is to a client that takes compressed text, and HEAD says what GET says', async () => {
  const image = scene.registry.putImage('acme/manifest', '1', { config: { comment: 'x'.repeat(1000) } });
  const asked = ['--header', 'Accept-Encoding: gzip', `${scene.url}/v2/acme/manifest/manifests/1`];

  const got = await headersOf(asked);
  const head = await headersOf(['--head', ...asked]);

  expect(got['content-encoding']).toBeUndefined();
  for (const headers of [got, head]) {
    expect(headers).toMatchObject({
      line: 'HTTP/1.1 200 OK',
      'content-length': String(image.descriptor.size),
      'docker-content-digest': image.digest,
    });
  }
});

test('the log has the client’s address, whatever the client says of itself', async () => {
  scene.registry.putImage('acme/logged', '1');
  const url = `${scene.url}/v2/acme/logged/manifests/1`;
  const lies = [
    [],
    ['--header', `X-Forwarded-For: ${ELSEWHERE}`],
    ['--header', `Forwarded: for=${ELSEWHERE}`],
    ['--header', `X-Forwarded-For: ${ELSEWHERE}`, '--header', `Forwarded: for=${ELSEWHERE}`],
  ];

  for (const lie of lies) await scene.curl('--fail', ...lie, url);

  const logged = await until('all requests are logged', () => {
    const manifests = loggedRequests(scene.mirror).filter(({ repository }) => repository === 'acme/logged');
    return manifests.length === lies.length ? manifests : undefined;
  });
  expect(logged.map(({ client }) => client)).toEqual(lies.map(() => CLIENT));
});

test('the name that the client asked for chooses the upstream', async () => {
  scene.registry.putImage('acme/named', '1');
  const path = `${scene.url}/v2/acme/named/manifests/1`;

  await scene.curl('--fail', '--header', `Host: ${NAME_OF_GHCR}`, path);

  const logged = await until('the request is logged', () =>
    loggedRequests(scene.mirror).find(({ repository }) => repository === 'acme/named'),
  );
  expect(logged.upstream).toBe('ghcr.io');
});

test('a closed Larder asks for the password by https, and skopeo logs in', async () => {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryDirectory('closed'));
  const users = join(path, 'users.htpasswd');
  await writeFile(users, `${ALICE.username}:${await hash(ALICE.password, 4)}\n`);
  const rules = [{ repositories: ['**'], who: ['authenticated'], allow: ['pull'] }];
  const upstreams = { 'docker.io': { url: scene.registry.url.href.replace(/\/$/, '') } };
  const closed = stack.use(await larderOfPage('Larder, behind nginx', upstreams, { users, rules }));
  const front = stack.use(await nginxOfPage(closed));
  await copyFile(front.authorityFile, join(path, 'ca.crt'));
  const login = async (password: string): Promise<Exit> => {
    const account = ['--username', ALICE.username, '--password', password];
    const files = ['--cert-dir', path, '--authfile', join(path, 'auth.json')];
    return attempt('skopeo', ['login', ...files, ...account, front.localHost]);
  };

  const ping = `https://${front.localHost}/v2/`;
  const { stdout } = await attempt('curl', ['--silent', '--cacert', front.authorityFile, '--head', ping]);

  expect(stdout).toContain(`Bearer realm="https://${front.localHost}/token"`);
  expect(await login('not-the-password')).not.toMatchObject({ code: 0 });
  expect(await login(ALICE.password)).toMatchObject({ code: 0 });
});

test('the words beside a status pass', async () => {
  scene.registry.fault({ repository: 'acme/away' }, resetBeforeHeaders());

  const { line } = await headersOf([`${scene.url}/v2/acme/away/manifests/1`]);

  expect(line).toMatch(/^HTTP\/1\.1 502 docker\.io: \S/);
});

test('a push is refused in a registry’s words, however large it is', async () => {
  const layer = scene.newFile();
  await writeFile(layer, randomBytes(4 * MIB));
  const put = ['--request', 'PUT', '--data-binary', `@${layer}`];

  const exit = await scene.curl(
    ...put,
    '--write-out',
    '%{http_code}',
    `${scene.url}/v2/acme/app/blobs/uploads/1`,
  );

  expect(exit.stdout).toMatch(/"code":"UNSUPPORTED".*405$/);
});

test('/metrics is not for clients', async () => {
  const exit = await scene.curl(
    '--write-out',
    '%{http_code}',
    '--output',
    '/dev/null',
    `${scene.url}/metrics`,
  );

  expect(exit.stdout).toBe('404');
});

test.each<[string, readonly Fault[]]>([
  ['its length is known', []],
  ['it is not', [chunked()]],
])('an answer that breaks off is broken off for the client where %s', async (_, verbs) => {
  const { digest } = scene.registry.putBlob('acme/app', randomBytes(3 * MIB));
  // What is asked for again, by Range, is refused: the transfer cannot be taken up where it broke.
  const breaking: Fault = (reply) => (reply.status === 206 ? status(503) : cutAfter(MIB)(reply));
  scene.registry.fault({ digest }, ...verbs, breaking);
  const file = scene.newFile();

  const exit = await scene.curl('--output', file, `${scene.url}/v2/acme/app/blobs/${digest}`);

  // CURLE_PARTIAL_FILE
  expect(exit).toMatchObject({ code: 18 });
  expect(await sizeOf(file)).toBeGreaterThan(0);
  expect(await sizeOf(file)).toBeLessThanOrEqual(MIB);
});
