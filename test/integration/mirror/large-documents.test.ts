import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';

interface Document {
  readonly type: string;
  readonly body: Buffer;
}

/** A registry that has these documents and nothing else, and how often each was asked for. */
async function registryOf(documents: Readonly<Record<string, Document>>): Promise<
  AsyncDisposable & {
    readonly url: URL;
    readonly asked: string[];
  }
> {
  const asked: string[] = [];
  const server: Server = createServer((incoming, outgoing) => {
    const [path = ''] = (incoming.url ?? '').split('?');
    asked.push(path);
    const found = documents[path];
    outgoing.statusCode = found === undefined ? 404 : 200;
    outgoing.setHeader('Content-Type', found?.type ?? 'application/json');
    outgoing.end(incoming.method === 'HEAD' ? undefined : (found?.body ?? '{"errors":[{"code":"UNKNOWN"}]}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function json(type: string, document: unknown): Document {
  return { type, body: Buffer.from(JSON.stringify(document)) };
}

function mirrorOf(registry: { readonly url: URL }): Promise<MirrorFixture> {
  return startMirror({ upstreams: [{ name: 'registry.test', registry }] });
}

const SORTED = Array.from({ length: 900_000 }, (_, number) => `t${number.toString(36)}`).sort();
/** As a registry without an order sends them. */
const LIST = json('application/json', { name: 'any', tags: SORTED.toReversed() });

test('a list of 900,000 tags is served page by page, each tag once and in order, and asked for once', async () => {
  await using registry = await registryOf({ '/v2/team/app/tags/list': LIST });
  await using mirror = await mirrorOf(registry);
  const tags: string[] = [];
  for (let path: string | undefined = '/v2/team/app/tags/list'; path !== undefined;) {
    const answer = await mirror.get(path);
    tags.push(...(JSON.parse(answer.body.toString()) as { tags: string[] }).tags);
    path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers['link'] ?? ''))?.[1];
  }
  expect(tags.length).toBe(SORTED.length);
  expect(tags.every((tag, i) => tag === SORTED[i])).toBe(true);
  expect(registry.asked).toEqual(['/v2/team/app/tags/list']);
});

test('of eight such lists at once a few are in memory, and all come', async () => {
  const paths = Array.from({ length: 8 }, (_, number) => `/v2/team/app${number}/tags/list`);
  await using registry = await registryOf(Object.fromEntries(paths.map((path) => [path, LIST])));
  await using mirror = await mirrorOf(registry);
  let answered = 0;
  const answers = paths.map(async (path) => {
    const answer = await mirror.get(`${path}?n=2&last=t1000`);
    answered += 1;
    return JSON.parse(answer.body.toString()) as unknown;
  });
  let most = 0;
  while (answered < paths.length) {
    most = Math.max(most, mirror.parser.waiting);
    await nextTurn();
  }
  const start = SORTED.indexOf('t1000') + 1;
  const expected = SORTED.slice(start, start + 2);
  expect(await Promise.all(answers)).toEqual(
    paths.map((_, number) => ({ name: `team/app${number}`, tags: expected })),
  );
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(4);
});

/** 4,000 descriptors, each with an annotation. */
function descriptorsOf(name: string, length: number): object[] {
  return Array.from({ length: 4000 }, (_, number) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(`${name} ${number}`),
    size: number,
    annotations: { 'org.example.text': 'x'.repeat(length) },
  }));
}

const CONFIG = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('config'), size: 2 };
const manifest = json(MediaType.ociManifest, {
  schemaVersion: 2,
  mediaType: MediaType.ociManifest,
  config: CONFIG,
  layers: descriptorsOf('layer', 200),
});
const annotated = json(MediaType.ociManifest, {
  schemaVersion: 2,
  mediaType: MediaType.ociManifest,
  config: CONFIG,
  layers: [],
  annotations: Object.fromEntries(
    Array.from({ length: 4000 }, (_, i) => [`org.example.${i}`, 'x'.repeat(1000)]),
  ),
});

test.each([
  ['of 4,000 layers', manifest, 4001],
  ['with 4,000 annotations of 1 KB', annotated, 1],
])('a manifest %s is served as it is, and known with all that it refers to', async (_, document, edges) => {
  const digest = digestOf(document.body);
  const path = `/v2/team/app/manifests/${digest}`;
  await using registry = await registryOf({ [path]: document });
  await using mirror = await mirrorOf(registry);
  const answer = await mirror.get(path);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, MediaType.ociManifest]);
  expect(answer.body.equals(document.body)).toBe(true);
  expect(await mirror.index.edges(digest)).toHaveLength(edges);
  expect((await mirror.get(path)).body.equals(document.body)).toBe(true);
  expect(registry.asked.filter((asked) => asked === path)).toHaveLength(1);
});

test('a large index that is here is read once for all clients of single images', async () => {
  const image = json(MediaType.ociManifest, {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: CONFIG,
    layers: [],
  });
  const child = {
    mediaType: MediaType.ociManifest,
    digest: digestOf(image.body),
    size: image.body.length,
    platform: { os: 'linux', architecture: 'amd64' },
  };
  const index = json(MediaType.ociIndex, {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: [child, ...descriptorsOf('other', 700)],
  });
  await using registry = await registryOf({
    '/v2/team/app/manifests/1': index,
    [`/v2/team/app/manifests/${child.digest}`]: image,
  });
  await using mirror = await mirrorOf(registry);
  expect((await mirror.get('/v2/team/app/manifests/1')).body.length).toBe(index.body.length);
  const single = { headers: { accept: [MediaType.ociManifest] } };
  const run = vi.spyOn(mirror.parser, 'run');
  const answers = Array.from({ length: 70 }, () => mirror.get('/v2/team/app/manifests/1', single));
  for (const answer of await Promise.all(answers)) {
    expect([answer.status, answer.headers['docker-content-digest']]).toEqual([200, child.digest]);
  }
  expect(run.mock.calls.filter(([{ name }]) => name === 'manifest')).toHaveLength(1);
});

test('4,000 referrers are listed, and those of a type', async () => {
  const subject = digestOf('subject');
  const referrers = descriptorsOf('referrer', 100).map((descriptor, i) => ({
    ...descriptor,
    artifactType: i === 77 ? 'application/vnd.example.one' : 'application/vnd.example.many',
  }));
  const path = `/v2/team/app/referrers/${subject}`;
  await using registry = await registryOf({
    [path]: json(MediaType.ociIndex, {
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: referrers,
    }),
  });
  await using mirror = await mirrorOf(registry);
  const read = async (query: string): Promise<unknown> =>
    (JSON.parse((await mirror.get(`${path}${query}`)).body.toString()) as { manifests: unknown }).manifests;
  expect(await read('')).toEqual(referrers);
  expect(await read('?artifactType=application/vnd.example.one')).toEqual([referrers[77]]);
});

test.each([
  ['nested without end', Buffer.from('['.repeat(1_000_000))],
  ['lists in lists', Buffer.from(`{"tags":${'['.repeat(500_000)}${']'.repeat(500_000)}}`)],
  ['cut off', LIST.body.subarray(0, -1)],
])('a document that is %s is an error, and the next one is read', async (_, body) => {
  await using registry = await registryOf({
    '/v2/team/bad/tags/list': { type: 'application/json', body },
    '/v2/team/bad/manifests/1': { type: MediaType.ociManifest, body },
    '/v2/team/app/tags/list': LIST,
  });
  await using mirror = await mirrorOf(registry);
  const statuses = ['bad/tags/list', 'bad/manifests/1', 'app/tags/list?n=1'].map(
    async (path) => (await mirror.get(`/v2/team/${path}`)).status,
  );
  expect((await Promise.all(statuses)).slice(1)).toEqual([502, 200]);
});
