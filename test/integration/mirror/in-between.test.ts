import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseRepositoryName } from '../../../src/oci/repository-name.ts';
import { parseTag } from '../../../src/oci/tag.ts';
import {
  startFakeRegistry,
  type FakeRegistry,
  type RequestFilter,
  type StoredImage,
} from '../../support/fake-registry.ts';
import { MINUTE, startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { instead, json, redirect, registryError, status, type Reply } from '../../support/scripted-reply.ts';

/** Something stands before the registry, and answers in its place. */
const page = (code: number, body: string, type = 'text/html'): Reply =>
  status(code, { body, headers: { 'content-type': type } });

const ALL: RequestFilter = {};
const TOKENS: RequestFilter = { kind: 'token' };

const TROUBLES: readonly (readonly [name: string, where: RequestFilter, reply: Reply])[] = [
  ['an ingress: default backend - 404', ALL, page(404, 'default backend - 404', 'text/plain')],
  ['nginx: 404 with a page', ALL, page(404, '<html><center>nginx</center></html>')],
  ['nothing but 404', ALL, status(404)],
  ['nothing but 410', ALL, status(410)],
  ['a gateway: 404 with JSON', ALL, json({ message: 'no Route matched with those values' }, { status: 404 })],
  ['a gateway: 404 with errors of its own', ALL, json({ errors: [{ code: 404 }] }, { status: 404 })],
  ['a block page: 403', ALL, page(403, '<html>Blocked</html>')],
  ['a block page that asks to sign in: 401', ALL, page(401, '<html>Sign in</html>')],
  ['a page of 402', ALL, page(402, '<html>Payment required</html>')],
  ['406', ALL, status(406)],
  ['418', ALL, page(418, "I'm a teapot", 'text/plain')],
  ['451 with a page', ALL, page(451, '<html>Not in your country</html>')],
  ['409 with a document', ALL, registryError(409, 'UNKNOWN')],
  ['423 with a document', ALL, registryError(423, 'DENIED')],
  ['425', ALL, status(425)],
  ['a redirect to a page of another status', ALL, redirect('/login')],
  ['200 with a page', ALL, page(200, '<html>Welcome</html>')],
  ['200 with an error document', ALL, registryError(200, 'MANIFEST_UNKNOWN')],
  ['the token endpoint: 403 with a text', TOKENS, page(403, 'Forbidden', 'text/plain')],
  ['the token endpoint: 403 with a document', TOKENS, registryError(403, 'DENIED')],
  ['the token endpoint: 401 with a document', TOKENS, registryError(401, 'UNAUTHORIZED')],
  ['the token endpoint: 404 with a document', TOKENS, registryError(404, 'NAME_UNKNOWN')],
  ['the token endpoint: 404 of an ingress', TOKENS, page(404, 'default backend - 404', 'text/plain')],
  ['the token endpoint: a page to sign in', TOKENS, page(200, '<html>Sign in</html>')],
];

const KEY = { registry: 'registry.test', repository: parseRepositoryName('acme/app') };
const TAG_PATH = '/v2/acme/app/manifests/latest';
const LAYER = Buffer.from('a layer');
const BLOB_PATH = `/v2/acme/app/blobs/${digestOf(LAYER)}`;
const TTL = 5 * MINUTE;

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly image: StoredImage;
  readonly paths: readonly (readonly [path: string, body: Buffer])[];
}

/**
 * @param where what fails. If only the token endpoint does, the registry wants tokens; else it is open: a token that
 *   cannot be had would hide what the registry's place answers.
 */
async function start(where: RequestFilter = TOKENS): Promise<World> {
  const auth = { kind: 'bearer', expiresIn: 60 } as const;
  const registry = await startFakeRegistry(where === TOKENS ? { auth } : {});
  const image = registry.putImage('acme/app', 'latest', { layers: [LAYER] });
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  const manifest = Buffer.from(image.bytes);
  const paths = [
    [TAG_PATH, manifest],
    [`/v2/acme/app/manifests/${image.digest}`, manifest],
    [BLOB_PATH, LAYER],
  ] as const;
  return {
    registry,
    mirror,
    image,
    paths,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

describe.each(TROUBLES)('%s', (_name, where, reply) => {
  test('everything cached is served, nothing is dropped, and the next pull is right at once', async () => {
    await using world = await start(where);
    const { registry, mirror, image, paths } = world;
    for (const [path] of paths) await mirror.get(path);
    mirror.clock.advance(TTL);
    const end = registry.fault(where, instead(reply));
    for (let round = 0; round < 3; round += 1) {
      for (const [path, body] of paths) {
        const answer = await mirror.get(path);
        expect([path, answer.status, answer.body.equals(body)]).toEqual([path, 200, true]);
        expect((await mirror.head(path)).status).toBe(200);
      }
    }
    expect((await mirror.get(TAG_PATH)).headers.warning).toContain('registry.test: ');
    expect((await mirror.index.tag(KEY, parseTag('latest')))?.digest).toBe(image.digest);
    const moved = registry.putImage('acme/app', 'latest', { layers: [LAYER, Buffer.from('more')] });
    end();
    const { headers } = await mirror.get(TAG_PATH);
    expect([headers['docker-content-digest'], headers.warning]).toEqual([moved.digest, undefined]);
  });

  test('what is not cached is refused, and not for longer than five seconds after', async () => {
    await using world = await start(where);
    const { registry, mirror, paths } = world;
    const end = registry.fault(where, instead(reply));
    for (const [path] of paths) {
      const { status, complete } = await mirror.get(path);
      // A blob may turn out wrong behind its headers.
      expect(status >= 404 || !complete).toBe(true);
    }
    end();
    mirror.clock.advance(5_000);
    for (const [path, body] of paths) expect((await mirror.get(path)).body.equals(body)).toBe(true);
  });
});

test.each([
  [status(404), 404, 'MANIFEST_UNKNOWN'],
  [page(403, '<html>Blocked</html>'), 502, 'UNAVAILABLE'],
  [registryError(423, 'DENIED'), 502, 'UNAVAILABLE'],
  [registryError(403, 'DENIED'), 404, 'NAME_UNKNOWN'],
])('with nothing cached, %j is told as %i %s', async (reply, code, error) => {
  await using world = await start();
  world.registry.fault({ kind: 'manifest' }, instead(reply));
  const answer = await world.mirror.get(TAG_PATH);
  expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
    code,
    { errors: [{ code: error }] },
  ]);
});

test.each([
  [page(403, 'Forbidden', 'text/plain'), 503, 'UNAVAILABLE'],
  [status(500), 503, 'UNAVAILABLE'],
  [registryError(403, 'DENIED'), 404, 'NAME_UNKNOWN'],
])('with nothing cached, a token endpoint that answers %j is told as %i %s', async (reply, code, error) => {
  await using world = await start();
  world.registry.fault(TOKENS, instead(reply));
  const answer = await world.mirror.get(TAG_PATH);
  expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
    code,
    { errors: [{ code: error }] },
  ]);
});

describe('HEAD is refused where GET would do', () => {
  test.each([400, 401, 403, 404, 405, 406, 410, 500])('a manifest, %i: it is pulled', async (code) => {
    await using world = await start();
    const { registry, mirror, paths } = world;
    registry.fault({ method: 'HEAD' }, instead(status(code)));
    for (const [path, body] of paths) {
      expect((await mirror.head(path)).status).toBe(200);
      expect((await mirror.get(path)).body.equals(body)).toBe(true);
    }
  });

  test('a blob that is cached through another repository is had through this one', async () => {
    await using world = await start();
    const { registry, mirror } = world;
    await mirror.get(BLOB_PATH);
    registry.putImage('acme/other', 'latest', { layers: [LAYER] });
    registry.fault({ method: 'HEAD' }, instead(status(404)));
    const path = BLOB_PATH.replace('app', 'other');
    expect((await mirror.head(path)).status).toBe(200);
    expect((await mirror.get(path)).body.equals(LAYER)).toBe(true);
  });

  test('and a refusal by HEAD does not refuse the GET after it', async () => {
    await using world = await start();
    const { registry, mirror } = world;
    registry.fault({ kind: 'blob', times: 2 }, instead(status(404)));
    expect((await mirror.head(BLOB_PATH)).status).toBe(404);
    mirror.clock.advance(5_000);
    expect((await mirror.get(BLOB_PATH)).body.equals(LAYER)).toBe(true);
  });
});

test("the registry's own word still takes a tag away", async () => {
  await using world = await start();
  const { registry, mirror } = world;
  await mirror.get(TAG_PATH);
  registry.deleteTag('acme/app', 'latest');
  mirror.clock.advance(TTL);
  expect((await mirror.get(TAG_PATH)).status).toBe(404);
  expect(await mirror.index.tag(KEY, parseTag('latest'))).toBeUndefined();
});

test('a digest without a HEAD that tells it, and a document that there is none: its word', async () => {
  await using world = await start();
  const { registry, mirror } = world;
  await mirror.get(TAG_PATH);
  mirror.clock.advance(TTL);
  registry.fault({ kind: 'manifest', method: 'HEAD' }, instead(status(200)));
  registry.fault({ kind: 'manifest', method: 'GET' }, instead(registryError(404, 'MANIFEST_UNKNOWN')));
  expect((await mirror.get(TAG_PATH)).status).toBe(404);
});

test('lists go on as they are known', async () => {
  await using world = await start(ALL);
  const { registry, mirror, image } = world;
  const subject = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.length };
  const signature = registry.putImage('acme/app', undefined, { subject, artifactType: 'application/x' });
  const lists = ['/v2/acme/app/tags/list', `/v2/acme/app/referrers/${image.digest}`];
  for (const path of lists) await mirror.get(path);
  mirror.clock.advance(TTL);
  const end = registry.fault(ALL, instead(status(404, { body: 'default backend - 404' })));
  const [tags, referrers] = await Promise.all(lists.map((path) => mirror.get(path)));
  expect(JSON.parse(tags?.body.toString() ?? '')).toMatchObject({ tags: ['latest'] });
  expect(JSON.parse(referrers?.body.toString() ?? '')).toMatchObject({
    manifests: [{ digest: signature.digest }],
  });
  for (const answer of [tags, referrers]) expect(answer?.headers.warning).toContain('registry.test: ');
  end();
  for (const path of lists) expect((await mirror.get(path)).headers.warning).toBeUndefined();
});

test.each(TROUBLES)('%s: nothing is said of referrers that are not known', async (_name, where, reply) => {
  await using world = await start(where);
  const { registry, mirror, image } = world;
  registry.fault(where, instead(reply));
  const path = `/v2/acme/app/referrers/${image.digest}`;
  const { status: code, headers } = await mirror.get(path);
  expect([code, headers['content-type']]).not.toEqual([200, 'application/vnd.oci.image.index.v1+json']);
  expect(code).toBeGreaterThanOrEqual(400);
});
