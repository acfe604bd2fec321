import { expect, test } from 'vitest';
import { credentialSource } from '../../../src/upstream/credentials/source.ts';
import { challenged, json, registryError, status } from '../../support/scripted-reply.ts';
import { MANIFEST_DIGEST, byDigest, manifestReply, repo, tagged } from '../../support/upstream-content.ts';
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const GAR = 'europe-docker.pkg.dev';
const app = repo('project/images/app');
const path = '/v2/project/images/app/manifests/1';

function pingChallenge(gar: UpstreamFixture): string {
  return `Bearer realm="${gar.url(GAR, '/v2/token')}",service="${GAR}"`;
}

test('real requests are 401 without a challenge: it comes from the ping, and is remembered', async () => {
  await using gar = await startUpstreamFixture(GAR);
  gar
    .on('GET', '/v2/')
    .once()
    .reply(challenged(pingChallenge(gar)));
  gar
    .on('GET', '/v2/token')
    .withQuery('scope', 'repository:project/images/app:pull')
    .reply(json({ token: 'a' }));
  gar
    .on('GET', '/v2/token')
    .withQuery('scope', 'repository:project/images/other:pull')
    .reply(json({ token: 'b' }));
  gar.on('GET', path).withHeader('authorization', undefined).once().reply(status(401));
  gar.on('GET', path).withHeader('authorization', 'Bearer a').times(2).reply(manifestReply());
  gar
    .on('GET', '/v2/project/images/other/manifests/1')
    .withHeader('authorization', 'Bearer b')
    .once()
    .reply(manifestReply());
  await gar.upstream.manifest(app, tagged('1'));
  await gar.upstream.manifest(app, tagged('1'));
  await gar.upstream.manifest(repo('project/images/other'), tagged('1'));
  expect(gar.eventsOf('upstream-request').map(({ target }) => target)).toEqual([
    'ping',
    'token',
    'manifest',
    'manifest',
    'token',
    'manifest',
  ]);
});

test('POST to the token endpoint is 404: it is asked by GET', async () => {
  const registry = { name: GAR, url: new URL(`https://${GAR}`) };
  const credentials = credentialSource({ kind: 'identity-token', token: 'r' }, registry);
  await using gar = await startUpstreamFixture(GAR, [], { credentials });
  gar
    .on('GET', path)
    .withHeader('authorization', undefined)
    .reply(challenged(pingChallenge(gar)));
  gar.on('POST', '/v2/token').once().reply(status(404));
  gar
    .on('GET', '/v2/token')
    .withHeader('authorization', /^Basic /)
    .once()
    .reply(json({ token: 'a' }));
  gar.on('GET', path).withHeader('authorization', 'Bearer a').reply(manifestReply());
  expect((await gar.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('an error that comes as 200 with HTML is no manifest', async () => {
  await using gar = await startUpstreamFixture(GAR);
  const page = status(200, {
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<html>Sorry</html>',
  });
  const manifests = /^\/v2\/project\/images\/app\/manifests\//;
  gar.on('GET', manifests).reply(page);
  gar
    .on('HEAD', manifests)
    .reply({ ...page, headers: { ...page.headers, 'docker-content-digest': MANIFEST_DIGEST } });
  const broken = { failure: 'unavailable', reason: 'content' };
  await expect(gar.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(broken);
  await expect(gar.upstream.manifest(app, byDigest(MANIFEST_DIGEST))).rejects.toMatchObject(broken);
  expect(await gar.upstream.resolve(app, tagged('1'))).toBeUndefined();
});

test('tags come in one page, with a map of manifests and children beside them', async () => {
  await using gar = await startUpstreamFixture(GAR);
  const manifest = Object.fromEntries(
    Array.from({ length: 40_000 }, (_, i) => [
      `sha256:${i}`,
      { tag: [`t${i}`], imageSizeBytes: '1'.repeat(200) },
    ]),
  );
  const tags = Array.from({ length: 40_000 }, (_, i) => `t${i}`);
  const name = 'project/images/app';
  gar.on('GET', `/v2/${name}/tags/list`).reply(json({ name, child: ['sub'], manifest, tags }));
  const page = await gar.upstream.tags(app);
  expect([page.tags.count, page.next]).toEqual([40_000, undefined]);
});

test('a list beyond all measure is cut, sooner where tags come in pages', async () => {
  await using other = await startUpstreamFixture('registry.example.com');
  const body = Buffer.alloc(8 * 1024 * 1024 + 1, ' ');
  other.on('GET', '/v2/project/images/app/tags/list').reply(status(200, { body }));
  const list = other.upstream.tags(app);
  const message = expect.stringContaining('more than 8388608 bytes') as string;
  await expect(list).rejects.toMatchObject({ failure: 'unavailable', reason: 'content', message });
});

test('a missing image says so by its code', async () => {
  await using gar = await startUpstreamFixture(GAR);
  gar.on('GET', path).reply(registryError(404, 'MANIFEST_UNKNOWN'));
  const pull = gar.upstream.manifest(app, tagged('1'));
  await expect(pull).rejects.toMatchObject({ failure: 'absent', reason: 'not-found', status: 404 });
});
