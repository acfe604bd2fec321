import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { packTags } from '../../../src/oci/tag-names.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  bytes,
  cutAfter,
  flip,
  json,
  redirect,
  registryError,
  shortBody,
  stallAfter,
  status,
  withHeaders,
  wrongDigest,
  type Answer,
  type Reply,
} from '../../support/scripted-reply.ts';
import {
  LAYER,
  LAYER_DIGEST,
  MANIFEST,
  MANIFEST_DIGEST,
  byDigest,
  manifestReply,
  readBlob,
  repo,
  tagged,
} from '../../support/upstream-content.ts';
import { TIMEOUTS, startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const app = repo('team/app');
const manifestPath = '/v2/team/app/manifests/1';
const blobPath = `/v2/team/app/blobs/${LAYER_DIGEST}`;
const startDist = (path = ''): Promise<UpstreamFixture> =>
  startUpstreamFixture('registry.example.com', [], { scheme: 'http', path });

/** As distribution does: 404 for an OCI type that Accept lacks, whatever else it has. */
const likeDistribution =
  (mediaType: string): Answer =>
  ({ headers }) =>
    String(headers.accept).includes(mediaType)
      ? manifestReply()
      : registryError(404, 'MANIFEST_UNKNOWN', { message: 'accept header does not support OCI manifests' });

test('an OCI manifest is 404 where Accept lacks its type: Larder names every type, in one line', async () => {
  await using dist = await startDist();
  dist.on('GET', manifestPath).reply(likeDistribution(MediaType.ociManifest));
  expect((await dist.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
  const accept = dist.script.hits[0]?.headers.accept;
  for (const type of [MediaType.ociIndex, MediaType.dockerList, MediaType.dockerManifest]) {
    expect(accept).toContain(type);
  }
});

test('a docker list is not switched to its amd64 child, since Accept has the list', async () => {
  await using dist = await startDist();
  const list = json(
    { schemaVersion: 2, mediaType: MediaType.dockerList, manifests: [] },
    { headers: { 'content-type': MediaType.dockerList } },
  );
  const digest = digestOf(list.body);
  const child = manifestReply({ 'content-type': MediaType.dockerManifest });
  dist
    .on('HEAD', manifestPath)
    .reply(({ headers }) =>
      String(headers.accept).includes(MediaType.dockerList)
        ? withHeaders({ 'docker-content-digest': digest })(list)
        : child,
    );
  expect(await dist.upstream.resolve(app, tagged('1'))).toEqual({
    digest,
    mediaType: MediaType.dockerList,
    size: list.body.length,
  });
});

test('below a path, the API and its ping are below it', async () => {
  await using dist = await startDist('/mirror/hub/');
  dist.on('GET', '/mirror/hub/v2/team/app/manifests/1').reply(manifestReply());
  expect((await dist.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('a sha512 reference is verified by sha512', async () => {
  await using dist = await startDist();
  const digest = digestOf(MANIFEST, 'sha512');
  const path = `/v2/team/app/manifests/${digest}`;
  dist.on('GET', path).reply(manifestReply());
  dist.on('HEAD', path).reply(manifestReply());
  expect(await dist.upstream.manifest(app, byDigest(digest))).toMatchObject({ digest, verified: true });
  expect(await dist.upstream.resolve(app, byDigest(digest))).toMatchObject({ digest });
});

test('a manifest of another digest, or one that contradicts its header, is refused', async () => {
  await using dist = await startDist();
  const broken = { failure: 'unavailable', reason: 'content' };
  dist.on('GET', `/v2/team/app/manifests/${MANIFEST_DIGEST}`).once().reply(manifestReply(), flip());
  await expect(dist.upstream.manifest(app, byDigest(MANIFEST_DIGEST))).rejects.toMatchObject(broken);
  const other = Buffer.concat([MANIFEST, Buffer.from('\n')]);
  dist
    .on('GET', `/v2/team/app/manifests/${MANIFEST_DIGEST}`)
    .once()
    .reply({ ...manifestReply(), body: other });
  await expect(dist.upstream.manifest(app, byDigest(MANIFEST_DIGEST))).rejects.toMatchObject(broken);
  dist.on('GET', manifestPath).once().reply(manifestReply(), wrongDigest());
  await expect(dist.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(broken);
  dist.on('GET', manifestPath).once().reply(manifestReply(), shortBody());
  await expect(dist.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(broken);
});

test('a document under the type of another kind is refused (CVE-2021-41190)', async () => {
  await using dist = await startDist();
  dist.on('GET', manifestPath).reply(manifestReply({ 'content-type': MediaType.ociIndex }));
  const pull = dist.upstream.manifest(app, tagged('1'));
  await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'content' });
});

test('a manifest whose transfer breaks is asked for once more', async () => {
  await using dist = await startDist();
  dist.on('GET', manifestPath).once().reply(manifestReply(), cutAfter(10));
  dist.on('GET', manifestPath).reply(manifestReply());
  expect(await dist.upstream.manifest(app, tagged('1'))).toMatchObject({ digest: MANIFEST_DIGEST });
  expect(dist.log).toHaveLength(2);
});

test('a manifest whose transfer breaks each time is given up', async () => {
  await using dist = await startDist();
  dist.on('GET', manifestPath).reply(manifestReply(), cutAfter(10));
  await expect(dist.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'reset' });
  expect(dist.log).toHaveLength(2);
});

test('a manifest of more than 4 MiB is cut', async () => {
  await using dist = await startDist();
  const padded = Buffer.concat([MANIFEST, Buffer.alloc(5 * 1024 * 1024, ' ')]);
  dist.on('GET', manifestPath).reply({ ...manifestReply(), body: padded });
  await expect(dist.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'content' });
});

test('HEAD with a digest that is none tells nothing', async () => {
  await using dist = await startDist();
  dist.on('HEAD', manifestPath).reply(manifestReply({ 'docker-content-digest': 'sha256:XYZ' }));
  expect(await dist.upstream.resolve(app, tagged('1'))).toBeUndefined();
});

test('HEAD by digest that tells of another one tells nothing', async () => {
  await using dist = await startDist();
  dist.on('HEAD', `/v2/team/app/manifests/${MANIFEST_DIGEST}`).reply(manifestReply(), wrongDigest());
  expect(await dist.upstream.resolve(app, byDigest(MANIFEST_DIGEST))).toBeUndefined();
});

describe('a HEAD that is refused tells nothing: GET does', () => {
  test.each([400, 401, 402, 403, 404, 405, 406, 409, 410, 423, 451, 500, 501, 502])(
    'of a manifest: %i',
    async (code) => {
      await using dist = await startDist();
      dist.on('HEAD', manifestPath).once().reply(status(code));
      dist.on('GET', '/v2/').reply(json({}));
      expect(await dist.upstream.resolve(app, tagged('1'))).toBeUndefined();
    },
  );

  test.each([400, 401, 403, 404, 405, 406, 410, 500])('of a blob: %i', async (code) => {
    await using dist = await startDist();
    dist.on('HEAD', blobPath).once().reply(status(code));
    dist.on('GET', '/v2/').reply(json({}));
    dist.on('GET', blobPath).withHeader('range', 'bytes=0-0').once().reply(bytes(LAYER));
    expect(await dist.upstream.statBlob(app, LAYER_DIGEST)).toMatchObject({ size: LAYER.length });
  });

  test('of a blob that is not there: by its document', async () => {
    await using dist = await startDist();
    dist.on('HEAD', blobPath).once().reply(status(404));
    dist.on('GET', blobPath).once().reply(registryError(404, 'BLOB_UNKNOWN'));
    const absent = { failure: 'absent', isVerdict: true, status: 404 };
    await expect(dist.upstream.statBlob(app, LAYER_DIGEST)).rejects.toMatchObject(absent);
  });

  test('nor does one that is redirected on the same host to a URL that is signed for GET', async () => {
    await using dist = await startDist();
    dist.on('HEAD', blobPath).once().reply(redirect('/storage/x?sig=s'));
    dist.on('HEAD', '/storage/x').once().reply(status(404));
    dist.on('GET', blobPath).once().reply(redirect('/storage/x?sig=s'));
    dist.on('GET', '/storage/x').once().reply(bytes(LAYER));
    expect(await dist.upstream.statBlob(app, LAYER_DIGEST)).toMatchObject({ size: LAYER.length });
  });

  test.each([429, 503, 504])('but %i is not asked twice', async (code) => {
    await using dist = await startDist();
    dist.on('HEAD', manifestPath).once().reply(status(code));
    await expect(dist.upstream.resolve(app, tagged('1'))).rejects.toMatchObject({ status: code });
  });
});

describe('whose word a refusal is', () => {
  const document = (code: string): string => JSON.stringify({ errors: [{ code, message: 'no' }] });

  test.each<[string, Reply, boolean]>([
    ['a document', registryError(404, 'MANIFEST_UNKNOWN'), true],
    [
      'a document that is called HTML',
      status(404, { headers: { 'content-type': 'text/html' }, body: document('NAME_UNKNOWN') }),
      true,
    ],
    [
      'a document that is packed',
      status(404, { headers: { 'content-encoding': 'gzip' }, body: gzipSync(document('NAME_UNKNOWN')) }),
      true,
    ],
    ['a document of 200 KiB', registryError(404, 'NAME_UNKNOWN', { message: 'x'.repeat(200_000) }), true],
    [
      'a document of more than 256 KiB',
      registryError(404, 'NAME_UNKNOWN', { message: 'x'.repeat(300_000) }),
      false,
    ],
    [
      'the headers of a registry',
      status(404, { headers: { 'docker-distribution-api-version': 'registry/2.0' } }),
      false,
    ],
    ['a text', status(404, { body: 'default backend - 404' }), false],
    ['JSON of a gateway', json({ message: 'no Route matched with those values' }, { status: 404 }), false],
  ])('404 with %s', async (_name, reply, isVerdict) => {
    await using dist = await startDist();
    dist.on('GET', manifestPath).reply(reply);
    const absent = { failure: 'absent', reason: 'not-found', isVerdict };
    await expect(dist.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(absent);
  });

  test('a document that is cut off is none', async () => {
    await using dist = await startDist();
    dist.on('GET', manifestPath).reply(registryError(404, 'MANIFEST_UNKNOWN'), cutAfter(20));
    const absent = { failure: 'absent', isVerdict: false };
    await expect(dist.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(absent);
  });

  test('200 with an error document is no manifest', async () => {
    await using dist = await startDist();
    dist.on('GET', manifestPath).once().reply(registryError(200, 'MANIFEST_UNKNOWN'));
    const headers = { 'content-type': MediaType.ociManifest };
    dist
      .on('GET', manifestPath)
      .once()
      .reply(registryError(200, 'MANIFEST_UNKNOWN', { headers }));
    for (let i = 0; i < 2; i += 1) {
      const content = { failure: 'unavailable', reason: 'content' };
      await expect(dist.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(content);
    }
  });

  test('401 that a page before the registry sends asks for no account of ours', async () => {
    await using dist = await startDist();
    const page = { headers: { 'www-authenticate': 'Basic realm="intranet"' }, body: '<html>Sign in</html>' };
    dist.on('GET', manifestPath).reply(status(401, page));
    dist.on('GET', '/v2/').reply(status(401, page));
    const failed = { failure: 'unavailable', isVerdict: false, status: 401 };
    await expect(dist.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(failed);
  });
});

describe('HTML for a blob', () => {
  const html = (body: string | Buffer): Reply =>
    status(200, { headers: { 'content-type': 'text/html; charset=utf-8' }, body });

  test('that is a page in its place is told before anything is given', async () => {
    await using dist = await startDist();
    dist.on('GET', blobPath).reply(html('<html>login here</html>'));
    await expect(dist.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject({
      failure: 'unavailable',
      reason: 'content',
      message: expect.stringContaining('sent a page (text/html) for a blob') as string,
    });
  });

  test('that is the blob itself is given', async () => {
    await using dist = await startDist();
    dist.on('GET', blobPath).reply(html(LAYER));
    const blob = await dist.upstream.blob(app, LAYER_DIGEST);
    expect([blob.start, blob.size]).toEqual([0, LAYER.length]);
    expect((await readBlob(blob)).equals(LAYER)).toBe(true);
  });

  test('that is larger than a page is given as it comes', async () => {
    await using dist = await startDist();
    const large = Buffer.alloc(256 * 1024 + 1, ' ');
    dist.on('GET', blobPath).reply(html(large));
    const blob = await dist.upstream.blob(app, LAYER_DIGEST);
    expect((await readBlob(blob)).equals(large)).toBe(true);
  });
});

test.each([
  [{ start: 100 }, 'bytes=100-', LAYER.subarray(100), 100],
  [{ start: 100, end: 200 }, 'bytes=100-199', LAYER.subarray(100, 200), 100],
  [{ start: 0, end: 1 }, 'bytes=0-0', LAYER.subarray(0, 1), 0],
  [{ start: 0 }, undefined, LAYER, 0],
])('the range %j is asked for as %s', async (range, header, expected, start) => {
  await using dist = await startDist();
  dist.on('GET', blobPath).withHeader('range', header).reply(bytes(LAYER));
  const blob = await dist.upstream.blob(app, LAYER_DIGEST, { range });
  expect([blob.start, blob.size]).toEqual([start, LAYER.length]);
  expect((await readBlob(blob)).equals(expected)).toBe(true);
});

test('an upstream that ignores the range starts from 0', async () => {
  await using dist = await startDist();
  dist.on('GET', blobPath).reply(bytes(LAYER, { ranges: false }));
  const blob = await dist.upstream.blob(app, LAYER_DIGEST, { range: { start: 100 } });
  expect([blob.start, blob.size, (await readBlob(blob)).length]).toEqual([0, LAYER.length, LAYER.length]);
});

test.each([
  ['another start', 'bytes 99-199/210000'],
  ['more than asked for', 'bytes 100-999/210000'],
  ['no Content-Range', undefined],
  ['nonsense', 'bytes */210000'],
])('a part with %s is refused', async (_name, contentRange) => {
  await using dist = await startDist();
  const reply = { status: 206, headers: {}, body: LAYER.subarray(100, 200) };
  dist.on('GET', blobPath).reply(reply, withHeaders({ 'content-range': contentRange }));
  const fetch = dist.upstream.blob(app, LAYER_DIGEST, { range: { start: 100, end: 200 } });
  await expect(fetch).rejects.toMatchObject({ failure: 'unavailable', reason: 'content', status: 206 });
});

test('a part that nobody asked for is refused', async () => {
  await using dist = await startDist();
  dist
    .on('GET', blobPath)
    .reply(status(206, { headers: { 'content-range': 'bytes 0-0/210000' }, body: 'x' }));
  await expect(dist.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject({ reason: 'content' });
});

test('a range beyond the end is 416, which says nothing about the blob', async () => {
  await using dist = await startDist();
  dist.on('GET', blobPath).reply(bytes(LAYER));
  const fetch = dist.upstream.blob(app, LAYER_DIGEST, { range: { start: LAYER.length } });
  await expect(fetch).rejects.toMatchObject({ failure: 'unavailable', reason: 'status', status: 416 });
});

test('a body that is cut is an error while it is read, whatever was promised', async () => {
  await using dist = await startDist();
  dist.on('GET', blobPath).reply(bytes(LAYER), cutAfter(70_000));
  const { body } = await dist.upstream.blob(app, LAYER_DIGEST);
  let length = 0;
  const read = async (): Promise<void> => {
    for await (const pieces of body) length += Buffer.concat(pieces).length;
  };
  await expect(read()).rejects.toMatchObject({ failure: 'unavailable', reason: 'reset' });
  expect(length).toBe(70_000);
  const told = dist.eventsOf('upstream-bytes').reduce((sum, { bytes }) => sum + bytes, 0);
  expect(told).toBe(70_000);
});

test('a chunked body has no size, and its cut is an error, too', async () => {
  await using dist = await startDist();
  dist.on('GET', blobPath).once().reply({ status: 200, headers: {}, body: LAYER, chunked: true });
  const blob = await dist.upstream.blob(app, LAYER_DIGEST);
  expect(blob.size).toBeUndefined();
  expect(await readBlob(blob)).toHaveLength(LAYER.length);
  dist
    .on('GET', blobPath)
    .once()
    .reply({ status: 200, headers: {}, body: LAYER, chunked: true }, cutAfter(1000));
  await expect(readBlob(await dist.upstream.blob(app, LAYER_DIGEST))).rejects.toMatchObject({
    reason: 'reset',
  });
});

test('an empty blob is looked at and fetched', async () => {
  await using dist = await startDist();
  const empty = Buffer.alloc(0);
  const digest = digestOf(empty);
  dist.on('HEAD', `/v2/team/app/blobs/${digest}`).reply(bytes(empty));
  dist.on('GET', `/v2/team/app/blobs/${digest}`).reply(bytes(empty));
  expect(await dist.upstream.statBlob(app, digest)).toMatchObject({ size: 0 });
  expect(await readBlob(await dist.upstream.blob(app, digest))).toHaveLength(0);
});

test('a limit of n that it does not take is left out', async () => {
  await using dist = await startDist();
  const refused = registryError(400, 'PAGINATION_NUMBER_INVALID');
  dist.on('GET', '/v2/team/app/tags/list').withQuery('n', '1000').once().reply(refused);
  dist
    .on('GET', '/v2/team/app/tags/list')
    .withQuery('n', undefined)
    .once()
    .reply(json({ tags: ['1', '-bad', 7] }));
  expect(await dist.upstream.tags(app)).toEqual({ tags: packTags(['1']), next: undefined });
});

test('a next page that is the page itself ends the list', async () => {
  await using dist = await startDist();
  const link = '</v2/team/app/tags/list?n=1000>; rel="next"';
  dist.on('GET', '/v2/team/app/tags/list').reply(json({ tags: ['1'] }, { headers: { link } }));
  expect((await dist.upstream.tags(app)).next).toBeUndefined();
});

test('what is no list of tags is refused', async () => {
  await using dist = await startDist();
  dist
    .on('GET', '/v2/team/app/tags/list')
    .once()
    .reply(status(200, { body: '<html>' }));
  dist
    .on('GET', '/v2/team/app/tags/list')
    .once()
    .reply(json({ tags: 'x' }));
  await expect(dist.upstream.tags(app)).rejects.toMatchObject({ reason: 'content' });
  await expect(dist.upstream.tags(app)).rejects.toMatchObject({ reason: 'content' });
});

describe('referrers', () => {
  const path = `/v2/team/app/referrers/${MANIFEST_DIGEST}`;
  const page = (to: string, padding = 0): Reply => {
    const link = `<${path}?page=${to}>; rel="next"`;
    const document = { schemaVersion: 2, manifests: [], annotations: { padding: 'x'.repeat(padding) } };
    return json(document, { headers: { link, 'content-type': MediaType.ociIndex } });
  };

  test('pages that lead round in a circle are an error', async () => {
    await using dist = await startDist();
    dist.on('GET', path).reply(({ query }) => page(query.get('page') === 'a' ? 'b' : 'a'));
    const message = expect.stringContaining('lead round in a circle') as string;
    const error = { failure: 'unavailable', reason: 'content', message };
    await expect(dist.upstream.referrers(app, MANIFEST_DIGEST)).rejects.toMatchObject(error);
    expect(dist.log).toHaveLength(3);
  });

  test('of more than 8 MiB over all pages are refused', async () => {
    await using dist = await startDist();
    dist.on('GET', path).reply(({ query }) => page(`${Number(query.get('page')) + 1}`, 3 * 1024 * 1024));
    const message = expect.stringContaining('more than 8388608 bytes of referrers') as string;
    const error = { failure: 'unavailable', reason: 'content', message };
    await expect(dist.upstream.referrers(app, MANIFEST_DIGEST)).rejects.toMatchObject(error);
    expect(dist.log).toHaveLength(3);
  });
});

test('a page of tags that drips is due when its headers were', async () => {
  await using dist = await startDist();
  const stall = stallAfter(0);
  dist.on('GET', '/v2/team/app/tags/list').reply(json({ tags: ['1', '2', '3'] }), stall);
  const ended = dist.upstream.tags(app).catch((error: unknown) => error);
  await stall.reached;
  // One timer for the silence, and one for the whole.
  await vi.waitUntil(() => dist.clock.pending === 2);
  stall.allow(1);
  dist.clock.advance(TIMEOUTS.connectMs + TIMEOUTS.headersMs);
  expect(await ended).toMatchObject({ failure: 'unavailable', reason: 'timeout' });
});
