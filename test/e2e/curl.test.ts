import { describe, expect, inject, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { larder } from '../support/e2e/larder.ts';
import { attempt, run } from '../support/e2e/process.ts';
import { until } from '../support/e2e/until.ts';

const stock = inject('stock');
const { app, debian, artifact } = stock;

/** `curl -s ARGS`, its output as text. */
async function curl(...args: string[]): Promise<string> {
  return run('curl', ['--silent', '--show-error', '--path-as-is', ...args]);
}

/** The status and headers of `curl -i`, names in lower case. */
async function curlHeaders(...args: string[]): Promise<ReadonlyMap<string, string>> {
  const [status = '', ...lines] = (await curl('--output', '/dev/null', '--dump-header', '-', ...args))
    .trim()
    .split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return new Map([['status', status.split(' ')[1] ?? ''], ...headers]);
}

/** The query of the page that the Link header names, which is relative and of the same path. */
function nextQuery(headers: ReadonlyMap<string, string>, path: string): string | undefined {
  const link = headers.get('link');
  if (link === undefined) return undefined;
  const [, named, query] = /^<(\/[^>?]+)(\?[^>]+)>; rel="next"$/.exec(link) ?? [];
  expect([link, named]).toEqual([link, path]);
  return query;
}

async function hub(storage = stock.storage) {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await dockerRegistry({ stock: storage }));
  const upstreams = { 'docker.io': { url: registry.url }, 'mcr.microsoft.com': { url: registry.url } };
  const mirror = stack.use(await larder({ upstreams }));
  const owned = stack.move();
  return { registry, mirror, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

test('a manifest by tag with the Accept header that people type', async () => {
  await using scene = await hub();
  const url = `${scene.mirror.url}/v2/library/debian/manifests/bookworm`;
  const accept = ['-H', `Accept: ${MediaType.ociIndex}, ${MediaType.dockerList}`];

  const body = await curl(...accept, url);
  const headers = await curlHeaders(...accept, url);

  expect(digestOf(body)).toBe(debian.index.digest);
  expect(Object.fromEntries(headers)).toMatchObject({
    status: '200',
    'content-type': MediaType.ociIndex,
    'content-length': String(debian.index.size),
    'docker-content-digest': debian.index.digest,
    'cache-status': expect.stringMatching(/^larder; hit/) as string,
  });
});

test('an Accept of single images alone gets the linux/amd64 child', async () => {
  await using scene = await hub();
  const accept = `Accept: ${MediaType.ociManifest}, ${MediaType.dockerManifest}`;

  const body = await curl('-H', accept, `${scene.mirror.url}/v2/library/debian/manifests/bookworm`);

  expect(digestOf(body)).toBe(debian.amd64.manifest.digest);
});

test('Docker Hub’s names of one segment may be written without library/', async () => {
  await using scene = await hub();

  const body = await curl(`${scene.mirror.url}/v2/debian/manifests/bookworm`);

  expect(digestOf(body)).toBe(debian.index.digest);
});

test('a manifest by digest, by each way of naming the registry', async () => {
  await using scene = await hub();
  const { url } = scene.mirror;
  const path = `team/app/manifests/${app.manifest.digest}`;

  for (const address of [
    `${url}/v2/mcr.microsoft.com/${path}`,
    `${url}/mcr.microsoft.com/v2/${path}`,
    `${url}/v2/${path}?ns=mcr.microsoft.com`,
    `${url}/v2/${path}?ns=docker.io`,
    `${url}/v2/${path}?ns=registry-1.docker.io`,
    `${url}/v2/${path}`,
  ]) {
    expect([address, digestOf(await curl(address))]).toEqual([address, app.manifest.digest]);
  }
  const namespaced = await curlHeaders(`${url}/v2/${path}?ns=mcr.microsoft.com`);
  expect(namespaced.get('oci-namespace')).toBe('mcr.microsoft.com');
});

test('a host name of the mirror stands for a registry', async () => {
  await using registry = await dockerRegistry({ stock: stock.storage });
  await using mirror = await larder({
    upstreams: { 'registry.example.test': { url: registry.url, hosts: ['example.mirror.test'] } },
  });
  const address = `${mirror.url}/v2/team/app/manifests/${app.manifest.digest}`;

  const body = await curl('-H', 'Host: example.mirror.test', address);

  expect(digestOf(body)).toBe(app.manifest.digest);
});

describe('a blob by digest', () => {
  const { digest, size } = app.config;
  const bytesOf = async (...args: string[]): Promise<Buffer> => {
    const script = 'curl --silent "$@" | base64 --wrap=0';
    return Buffer.from(await run('bash', ['-c', script, 'curl', ...args]), 'base64');
  };

  test('is answered with its bytes, not with a redirect', async () => {
    await using scene = await hub();
    const url = `${scene.mirror.url}/v2/team/app/blobs/${digest}`;

    const cold = await curlHeaders(url);
    const bytes = await bytesOf(url);

    expect(Object.fromEntries(cold)).toMatchObject({
      status: '200',
      'content-length': String(size),
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
    });
    expect(digestOf(bytes)).toBe(digest);
  });

  test('HEAD says what GET says', async () => {
    await using scene = await hub();
    const url = `${scene.mirror.url}/v2/team/app/blobs/${digest}`;
    await curl('--output', '/dev/null', url);

    const head = await curlHeaders('--head', url);
    const get = await curlHeaders(url);

    const same = [
      'status',
      'content-length',
      'content-type',
      'docker-content-digest',
      'accept-ranges',
      'etag',
    ];
    expect(same.map((name) => head.get(name))).toEqual(same.map((name) => get.get(name)));
  });

  test('in parts', async () => {
    await using scene = await hub();
    const url = `${scene.mirror.url}/v2/team/app/blobs/${digest}`;
    const whole = await bytesOf(url);

    expect(await bytesOf('--range', '10-19', url)).toEqual(whole.subarray(10, 20));
    expect(await bytesOf('--range', '100-', url)).toEqual(whole.subarray(100));
    expect(await bytesOf('--range', '-7', url)).toEqual(whole.subarray(-7));
    const part = await curlHeaders('--range', `200-${size + 500}`, url);
    expect(part.get('status')).toBe('206');
    expect(part.get('content-range')).toBe(`bytes 200-${size - 1}/${size}`);
    const beyond = await curlHeaders('--range', `${size}-`, url);
    expect(beyond.get('status')).toBe('416');
    expect(beyond.get('content-range')).toBe(`bytes */${size}`);
  });
});

test('the tags of a repository with 2,000 of them, whole and page by page', async () => {
  await using scene = await hub(stock.manyTags.storage);
  const expected = Array.from({ length: stock.manyTags.count }, (_, i) => `v${String(i).padStart(4, '0')}`);
  const address = `${scene.mirror.url}/v2/mcr.microsoft.com/team/many/tags/list`;

  const tags: string[] = [];
  let pages = 0;
  let next: string | undefined = '?n=300';
  while (next !== undefined) {
    const page = JSON.parse(await curl(`${address}${next}`)) as { tags: string[] };
    expect(page.tags.length).toBeLessThanOrEqual(300);
    tags.push(...page.tags);
    pages++;
    next = nextQuery(await curlHeaders(`${address}${next}`), new URL(address).pathname);
  }
  expect(tags).toEqual(expected);
  expect(pages).toBe(7);

  const typed = `${scene.mirror.url}/v2/team/many/tags/list?ns=mcr.microsoft.com`;
  const first = JSON.parse(await curl(typed)) as { tags: string[] };
  expect(first.tags).toEqual(expected.slice(0, first.tags.length));
  const goesOn = nextQuery(await curlHeaders(typed), new URL(typed).pathname) !== undefined;
  expect(goesOn, 'all at once, or a Link to the rest').toBe(first.tags.length < expected.length);
});

test('the catalog of what is cached, in pages', async () => {
  await using scene = await hub();
  const { url } = scene.mirror;
  for (const path of [
    'library/debian/manifests/bookworm',
    'team/app/manifests/1',
    'team/large/manifests/1',
  ]) {
    await curl(`${url}/v2/${path}`);
  }

  const first = JSON.parse(await curl(`${url}/v2/_catalog?n=2`)) as { repositories: string[] };
  const query = nextQuery(await curlHeaders(`${url}/v2/_catalog?n=2`), '/v2/_catalog') ?? '';
  const second = JSON.parse(await curl(`${url}/v2/_catalog${query}`)) as { repositories: string[] };

  expect(first.repositories).toHaveLength(2);
  expect(second.repositories).toHaveLength(1);
  const all = [...first.repositories, ...second.repositories].join(' ');
  for (const name of ['library/debian', 'team/app', 'team/large']) expect(all).toContain(name);
});

test('the referrers of an image, from a registry that has only the tag schema', async () => {
  await using scene = await hub();
  const url = `${scene.mirror.url}/v2/library/debian/referrers/${debian.index.digest}`;

  const list = JSON.parse(await curl(url)) as { manifests: unknown[] };
  const headers = await curlHeaders(url);
  const none = JSON.parse(
    await curl(`${scene.mirror.url}/v2/library/debian/referrers/sha256:${'0'.repeat(64)}`),
  ) as { manifests: unknown[] };

  expect(headers.get('content-type')).toBe(MediaType.ociIndex);
  expect(list.manifests).toEqual([expect.objectContaining({ digest: artifact.digest, size: artifact.size })]);
  expect(none.manifests).toEqual([]);
});

test('what is not there is 404 with the code that says which', async () => {
  await using scene = await hub();
  const { url } = scene.mirror;

  const tag = JSON.parse(await curl(`${url}/v2/team/app/manifests/none`)) as unknown;
  const blob = JSON.parse(await curl(`${url}/v2/team/app/blobs/sha256:${'0'.repeat(64)}`)) as unknown;

  expect(tag).toMatchObject({
    errors: [{ code: expect.stringMatching(/^(MANIFEST|NAME)_UNKNOWN$/) as string }],
  });
  expect(blob).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] });
});

test('the ping asks nobody', async () => {
  await using scene = await hub();

  const headers = await curlHeaders(`${scene.mirror.url}/v2/`);

  expect(headers.get('status')).toBe('200');
  expect(headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  expect(scene.registry.proxy.connections()).toBe(0);
});

test('/livez and /readyz', async () => {
  await using scene = await hub();

  for (const path of ['/livez', '/readyz']) {
    expect(await attempt('curl', ['--fail', '--silent', `${scene.mirror.url}${path}`])).toMatchObject({
      code: 0,
    });
  }
});

test('/metrics and the access log tell what was sent', async () => {
  await using scene = await hub();
  const { size, digest } = app.config;
  const url = `${scene.mirror.url}/v2/team/app/blobs/${digest}`;
  await curl('--user-agent', 'the first', '--output', '/dev/null', url);
  await scene.mirror.idle();
  await curl('--user-agent', 'the second', '--output', '/dev/null', url);

  const lines = await until('both requests are logged', () => {
    const logged = requestLines(scene.mirror.process.stdout());
    return logged.length === 2 ? logged : undefined;
  });
  const sent = { requestKind: 'blob', status: 200, bytes: size, complete: true, client: '127.0.0.1' };
  expect(lines).toMatchObject([
    { ...sent, userAgent: 'the first', outcome: 'miss' },
    { ...sent, userAgent: 'the second', outcome: 'hit' },
  ]);
  const metrics = await scene.mirror.metrics();
  const sumOf = (name: string): number =>
    [...metrics].filter(([key]) => key.startsWith(`${name}{`)).reduce((sum, [, value]) => sum + value, 0);
  expect(sumOf('larder_client_bytes_total')).toBe(2 * size);
  expect(sumOf('larder_upstream_bytes_total')).toBe(size);
  expect(metrics.get('larder_store_blobs')).toBe(1);
});

/** The lines of the access log. */
function requestLines(output: string): readonly Record<string, unknown>[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return parsed.filter((line) => line['msg'] === 'request' && line['requestKind'] === 'blob');
}
