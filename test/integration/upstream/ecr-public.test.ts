import { expect, test } from 'vitest';
import { bytes, challenged, json, redirect, registryError, status } from '../../support/scripted-reply.ts';
import {
  LAYER,
  LAYER_DIGEST,
  MANIFEST_DIGEST,
  manifestReply,
  repo,
  tagged,
} from '../../support/upstream-content.ts';
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const ECR = 'public.ecr.aws';
const CDN = 'd2glxqk2uabbnd.cloudfront.net';
const app = repo('docker/library/debian');
const manifestPath = '/v2/docker/library/debian/manifests/12';
const blobPath = `/v2/docker/library/debian/blobs/${LAYER_DIGEST}`;

async function startEcr(): Promise<UpstreamFixture> {
  const ecr = await startUpstreamFixture(ECR, [CDN]);
  const challenge = `Bearer realm="${ecr.url(ECR, '/token/')}",service="public.ecr.aws",scope="aws"`;
  for (const method of ['GET', 'HEAD']) {
    ecr
      .on(method, /^\/v2\//)
      .withHeader('authorization', undefined)
      .at(ECR)
      .reply(challenged(challenge));
  }
  return ecr;
}

test('the scope is the literal aws, beside the one for the repository', async () => {
  await using ecr = await startEcr();
  ecr.on('GET', '/token/').reply(json({ token: 't' }));
  ecr.on('GET', manifestPath).reply(manifestReply({ 'docker-content-digest': undefined }));
  expect((await ecr.upstream.manifest(app, tagged('12'))).digest).toBe(MANIFEST_DIGEST);
  expect(ecr.script.hitsOf('GET', '/token/')[0]?.query.getAll('scope')).toEqual([
    'aws',
    'repository:docker/library/debian:pull',
  ]);
});

test('a blob is looked at without HEAD, which answers 401 even to a good token', async () => {
  await using ecr = await startEcr();
  ecr.on('GET', '/token/').reply(json({ token: 't' }));
  ecr
    .on('GET', blobPath)
    .withHeader('range', 'bytes=0-0')
    .reply(redirect(ecr.url(CDN, '/blob?Signature=x')));
  ecr.on('GET', '/blob').at(CDN).reply(bytes(LAYER));
  expect(await ecr.upstream.statBlob(app, LAYER_DIGEST)).toMatchObject({ size: LAYER.length });
  expect(ecr.script.count('HEAD')).toBe(0);
});

test('a CDN that ignores the range does not make Larder read the whole blob', async () => {
  await using ecr = await startEcr();
  ecr.on('GET', '/token/').reply(json({ token: 't' }));
  const large = Buffer.alloc(64 * 1024 * 1024);
  ecr
    .on('GET', blobPath)
    .withHeader('range', 'bytes=0-0')
    .reply(bytes(large, { ranges: false }));
  expect(await ecr.upstream.statBlob(app, LAYER_DIGEST)).toMatchObject({ size: large.length });
  await ecr.upstream.close();
  expect(ecr.script.hitsOf('GET', blobPath).at(-1)?.complete).toBe(false);
});

test('an expired token is 400 DENIED without a challenge: a new one is got, and the request sent once more', async () => {
  await using ecr = await startEcr();
  ecr
    .on('GET', '/token/')
    .once()
    .reply(json({ token: 'old' }));
  ecr
    .on('GET', '/token/')
    .once()
    .reply(json({ token: 'new' }));
  ecr.on('GET', manifestPath).withHeader('authorization', 'Bearer old').once().reply(manifestReply());
  await ecr.upstream.manifest(app, tagged('12'));
  const expired = registryError(400, 'DENIED', { message: 'Your Authorization Token has expired.' });
  ecr.on('GET', manifestPath).withHeader('authorization', 'Bearer old').once().reply(expired);
  ecr.on('GET', manifestPath).withHeader('authorization', 'Bearer new').once().reply(manifestReply());
  expect((await ecr.upstream.manifest(app, tagged('12'))).digest).toBe(MANIFEST_DIGEST);
});

test('its limiter says toomanyrequests', async () => {
  await using ecr = await startEcr();
  ecr.on('GET', '/token/').reply(json({ token: 't' }));
  const limited = registryError(429, 'toomanyrequests', { message: 'Rate exceeded' });
  ecr.on('GET', manifestPath).reply(limited);
  const pull = ecr.upstream.manifest(app, tagged('12'));
  await expect(pull).rejects.toMatchObject({ failure: 'throttled', reason: 'rate-limit' });
});

test('a blob that is not there is absent, by GET too', async () => {
  await using ecr = await startEcr();
  ecr.on('GET', '/token/').reply(json({ token: 't' }));
  ecr.on('GET', blobPath).reply(status(404));
  await expect(ecr.upstream.statBlob(app, LAYER_DIGEST)).rejects.toMatchObject({ failure: 'absent' });
});
