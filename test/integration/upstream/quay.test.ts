import { expect, test } from 'vitest';
import { packTags } from '../../../src/oci/tag-names.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
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

const QUAY = 'quay.io';
const CDN = 'cdn01.quay.io';
const app = repo('org/app');

async function startQuay(): Promise<UpstreamFixture> {
  const quay = await startUpstreamFixture(QUAY, [CDN]);
  const scope = 'repository:org/app:pull';
  const challenge = `Bearer realm="${quay.url(QUAY, '/v2/auth')}",service="quay.io",scope="${scope}"`;
  quay
    .on('GET', /^\/v2\/org/)
    .withHeader('authorization', undefined)
    .at(QUAY)
    .reply(challenged(challenge));
  return quay;
}

test('the token answer holds a token and nothing else: its JWT says how long it lives', async () => {
  await using quay = await startQuay();
  const claims = { iat: 1_700_000_000, exp: 1_700_003_600 };
  const jwt = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  quay
    .on('GET', '/v2/auth')
    .times(2)
    .reply(json({ token: jwt }));
  quay
    .on('GET', '/v2/org/app/manifests/1')
    .withHeader('authorization', `Bearer ${jwt}`)
    .reply(manifestReply());
  for (const minutes of [0, 30, 23, 2]) {
    quay.clock.advance(minutes * 60_000);
    expect((await quay.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
  }
  expect(quay.script.count('GET', '/v2/auth')).toBe(2);
});

test('a blob is redirected by 302', async () => {
  await using quay = await startQuay();
  quay.on('GET', '/v2/auth').reply(json({ token: 't' }));
  quay
    .on('GET', `/v2/org/app/blobs/${LAYER_DIGEST}`)
    .reply(redirect(quay.url(CDN, '/sha256/x?Signature=s'), 302));
  quay.on('GET', '/sha256/x').at(CDN).withHeader('authorization', undefined).reply(bytes(LAYER));
  expect(await readBlob(await quay.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
});

test('the Link of its tags is absolute: only its query is taken', async () => {
  await using quay = await startQuay();
  quay.on('GET', '/v2/auth').reply(json({ token: 't' }));
  const link = '<https://elsewhere.example/v2/org/app/tags/list?n=100&next_page=abc>; rel="next"';
  const list = '/v2/org/app/tags/list';
  quay
    .on('GET', list)
    .withQuery('next_page', undefined)
    .reply(json({ tags: ['1'] }, { headers: { link } }));
  quay
    .on('GET', list)
    .withQuery('next_page', 'abc')
    .reply(json({ tags: ['2'] }));
  const { next } = await quay.upstream.tags(app);
  expect(await quay.upstream.tags(app, { next })).toEqual({ tags: packTags(['2']), next: undefined });
});

test('a repository that is missing or private is 401, with a token too: denied', async () => {
  await using quay = await startQuay();
  quay.on('GET', '/v2/auth').reply(json({ token: 't' }));
  quay
    .on('GET', '/v2/org/app/manifests/1')
    .withHeader('authorization', 'Bearer t')
    .reply(
      registryError(401, 'UNAUTHORIZED', { message: 'access to the requested resource is not authorized' }),
    );
  await expect(quay.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({
    failure: 'denied',
    status: 401,
    isVerdict: true,
  });
});

test('a malformed scope is 400 at the token endpoint: that is no word about the image', async () => {
  await using quay = await startQuay();
  quay.on('GET', '/v2/auth').reply(status(400, { body: 'Unable to decode repository' }));
  const pull = quay.upstream.manifest(app, tagged('1'));
  await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'token', status: 400 });
});

test('referrers of a subject that it does not know are 400: the tag schema answers, the API stays', async () => {
  await using quay = await startQuay();
  quay.on('GET', '/v2/auth').reply(json({ token: 't' }));
  const path = `/v2/org/app/referrers/${MANIFEST_DIGEST}`;
  quay
    .on('GET', path)
    .withHeader('authorization', 'Bearer t')
    .times(2)
    .reply(registryError(400, 'MANIFEST_INVALID'));
  const digest = `sha256:${'c'.repeat(64)}`;
  const index = {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: [{ mediaType: MediaType.ociManifest, digest, size: 5, artifactType: 'application/x' }],
  };
  quay
    .on('GET', `/v2/org/app/manifests/${MANIFEST_DIGEST.replace(':', '-')}`)
    .times(2)
    .reply(json(index, { headers: { 'content-type': MediaType.ociIndex } }));
  const expected = [expect.objectContaining({ digest, artifactType: 'application/x' }) as unknown];
  expect(await quay.upstream.referrers(app, MANIFEST_DIGEST)).toEqual(expected);
  expect(await quay.upstream.referrers(app, MANIFEST_DIGEST)).toEqual(expected);
});
