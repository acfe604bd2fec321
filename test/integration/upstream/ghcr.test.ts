import { expect, test } from 'vitest';
import { bytes, challenged, json, redirect, registryError, status } from '../../support/scripted-reply.ts';
import {
  LAYER,
  LAYER_DIGEST,
  MANIFEST_DIGEST,
  manifestReply,
  readBlob,
  repo,
  tagged,
} from '../../support/upstream-content.ts';
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const GHCR = 'ghcr.io';
const CDN = 'pkg-containers.githubusercontent.com';
const app = repo('acme/app');
const blobPath = `/v2/acme/app/blobs/${LAYER_DIGEST}`;

async function startGhcr(): Promise<UpstreamFixture> {
  const ghcr = await startUpstreamFixture(GHCR, [CDN]);
  const scope = 'repository:acme/app:pull';
  const challenge = `Bearer realm="${ghcr.url(GHCR, '/token')}",service="ghcr.io",scope="${scope}"`;
  for (const method of ['GET', 'HEAD']) {
    ghcr
      .on(method, /^\/v2\//)
      .withHeader('authorization', undefined)
      .at(GHCR)
      .reply(challenged(challenge));
  }
  return ghcr;
}

function letIn(ghcr: UpstreamFixture): void {
  ghcr
    .on('GET', '/token')
    .withQuery('scope', 'repository:acme/app:pull')
    .reply(json({ token: 'abc' }));
}

test('the token endpoint answers 403 for a private or missing repository: denied, not broken', async () => {
  await using ghcr = await startGhcr();
  ghcr.on('GET', '/token').reply(registryError(403, 'DENIED', { message: 'requested access is denied' }));
  await expect(ghcr.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({
    failure: 'denied',
    reason: 'token',
    status: 403,
    isVerdict: false,
    message: expect.stringContaining('requested access is denied') as string,
  });
  expect(ghcr.eventsOf('upstream-request').map(({ target, result }) => [target, result])).toEqual([
    ['token', 'denied'],
    ['manifest', 'denied'],
  ]);
});

test.each([
  ['a page', status(403, { body: '<html>Too many sign-ins from your address</html>' }), 403],
  ['a text', status(404, { body: 'default backend - 404' }), 404],
  ['a page to sign in', status(200, { body: '<html>Sign in</html>' }), 200],
  ['a lock', registryError(423, 'DENIED'), 423],
])('the token endpoint answers %s: no word about the image', async (_name, reply, code) => {
  await using ghcr = await startGhcr();
  ghcr.on('GET', '/token').reply(reply);
  const failed = { failure: 'unavailable', reason: 'token', status: code, isVerdict: false };
  await expect(ghcr.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(failed);
});

test('the token endpoint leads to a page to sign in: no word about the image', async () => {
  await using ghcr = await startGhcr();
  ghcr.on('GET', '/token').reply(redirect('/login', 302));
  ghcr.on('GET', '/login').reply(status(200, { body: '<html>Sign in</html>' }));
  const failed = { failure: 'unavailable', reason: 'token' };
  await expect(ghcr.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(failed);
});

test('HEAD of a signed blob URL is 403: the blob is looked at by GET', async () => {
  await using ghcr = await startGhcr();
  letIn(ghcr);
  const signed = redirect(ghcr.url(CDN, '/ghcr1/blobs/x?se=2026&sig=secret'));
  ghcr.on('HEAD', blobPath).withHeader('authorization', 'Bearer abc').reply(signed);
  ghcr.on('HEAD', '/ghcr1/blobs/x').at(CDN).reply(status(403));
  ghcr.on('GET', blobPath).withHeader('range', 'bytes=0-0').withHeader('authorization', /./).reply(signed);
  ghcr.on('GET', '/ghcr1/blobs/x').at(CDN).withHeader('range', 'bytes=0-0').reply(bytes(LAYER));
  expect(await ghcr.upstream.statBlob(app, LAYER_DIGEST)).toMatchObject({ size: LAYER.length });
  expect(ghcr.hitsAt(CDN).map(({ method, bytesSent }) => [method, bytesSent])).toEqual([
    ['HEAD', 0],
    ['GET', 1],
  ]);
});

test('a signed URL that has expired is asked for again, once', async () => {
  await using ghcr = await startGhcr();
  letIn(ghcr);
  ghcr
    .on('GET', blobPath)
    .withHeader('authorization', 'Bearer abc')
    .times(2)
    .reply(redirect(ghcr.url(CDN, '/blob?sig=secret')));
  const expired = status(403, {
    body: '<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code></Error>',
  });
  ghcr.on('GET', '/blob').at(CDN).once().reply(expired);
  ghcr.on('GET', '/blob').at(CDN).once().reply(bytes(LAYER));
  expect(await readBlob(await ghcr.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
});

test('a CDN that refuses every signed URL is unavailable, and the error tells no signature', async () => {
  await using ghcr = await startGhcr();
  letIn(ghcr);
  const signed = redirect(ghcr.url(CDN, '/blob?sig=secret'));
  ghcr.on('GET', blobPath).withHeader('authorization', 'Bearer abc').times(2).reply(signed);
  ghcr
    .on('GET', '/blob')
    .at(CDN)
    .times(2)
    .reply(status(403, { body: 'see https://x.example/?sig=secret' }));
  const error: unknown = await ghcr.upstream.blob(app, LAYER_DIGEST).catch((error: unknown) => error);
  expect(error).toMatchObject({ failure: 'unavailable', reason: 'redirect', status: 403 });
  expect(JSON.stringify([error, String(error), ghcr.events])).not.toContain('secret');
});

test('the placeholder scope of its ping is not asked for', async () => {
  await using ghcr = await startUpstreamFixture(GHCR);
  const realm = ghcr.url(GHCR, '/token');
  const ping = challenged(`Bearer realm="${realm}",service="ghcr.io",scope="repository:user/image:pull"`);
  ghcr.on('GET', '/v2/').reply(ping);
  const path = '/v2/acme/app/manifests/1';
  ghcr.on('GET', path).withHeader('authorization', undefined).reply(status(401));
  ghcr.on('GET', path).withHeader('authorization', 'Bearer abc').reply(manifestReply());
  letIn(ghcr);
  expect((await ghcr.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('there is no referrers API: the tag schema is asked, and the API not again for a while', async () => {
  await using ghcr = await startGhcr();
  letIn(ghcr);
  ghcr.on('GET', `/v2/acme/app/referrers/${MANIFEST_DIGEST}`).reply(status(404));
  const tag = MANIFEST_DIGEST.replace(':', '-');
  ghcr.on('GET', `/v2/acme/app/manifests/${tag}`).reply(registryError(404, 'MANIFEST_UNKNOWN'));
  const countApi = (): number =>
    ghcr.script.hitsOf('GET', /referrers/).filter(({ headers }) => headers.authorization).length;
  expect(await ghcr.upstream.referrers(app, MANIFEST_DIGEST)).toEqual([]);
  expect(await ghcr.upstream.referrers(app, MANIFEST_DIGEST)).toEqual([]);
  expect(countApi()).toBe(1);
  ghcr.clock.advance(30_001);
  expect(await ghcr.upstream.referrers(app, MANIFEST_DIGEST)).toEqual([]);
  expect(countApi()).toBe(2);
});
