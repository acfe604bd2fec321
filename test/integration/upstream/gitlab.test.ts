import { expect, test } from 'vitest';
import { challenged, json, redirect, status } from '../../support/scripted-reply.ts';
import { MANIFEST_DIGEST, manifestReply, repo, tagged } from '../../support/upstream-content.ts';
import { startUpstreamFixture } from '../../support/upstream-fixture.ts';

const GITLAB = 'gitlab.com';
const REGISTRY = 'registry.gitlab.com';
const S3 = 'gitlab-dependency-proxy.s3.amazonaws.com';

test('HEAD of a manifest is redirected to a URL signed for GET: GET it is', async () => {
  await using gitlab = await startUpstreamFixture(GITLAB, [S3]);
  const proxied = repo('group/dependency_proxy/containers/alpine');
  const path = `/v2/${proxied}/manifests/3`;
  const signed = redirect(gitlab.url(S3, '/manifest?X-Amz-Signature=s'), 302);
  gitlab.on('HEAD', path).once().reply(signed);
  gitlab.on('HEAD', '/manifest').at(S3).once().reply(status(403));
  gitlab.on('GET', path).once().reply(signed);
  gitlab
    .on('GET', '/manifest')
    .at(S3)
    .once()
    .reply(manifestReply({ 'docker-content-digest': undefined }));
  expect(await gitlab.upstream.resolve(proxied, tagged('3'))).toBeUndefined();
  expect((await gitlab.upstream.manifest(proxied, tagged('3'))).digest).toBe(MANIFEST_DIGEST);
});

test('HEAD of a manifest is not done at all (405): GET it is', async () => {
  await using gitlab = await startUpstreamFixture(REGISTRY);
  gitlab.on('HEAD', '/v2/group/app/manifests/3').once().reply(status(405));
  expect(await gitlab.upstream.resolve(repo('group/app'), tagged('3'))).toBeUndefined();
});

test('the realm is on the domain above the registry, and tokens live five minutes', async () => {
  await using gitlab = await startUpstreamFixture(REGISTRY, [GITLAB]);
  const realm = gitlab.url(GITLAB, '/jwt/auth');
  const challenge = `Bearer realm="${realm}",service="container_registry",scope="repository:group/app:pull"`;
  const path = '/v2/group/app/manifests/1';
  gitlab.on('GET', path).withHeader('authorization', undefined).once().reply(challenged(challenge));
  gitlab
    .on('GET', '/jwt/auth')
    .at(GITLAB)
    .once()
    .reply(json({ token: 'one', expires_in: 300 }));
  gitlab
    .on('GET', '/jwt/auth')
    .at(GITLAB)
    .once()
    .reply(json({ token: 'two', expires_in: 300 }));
  gitlab.on('GET', path).withHeader('authorization', 'Bearer one').times(2).reply(manifestReply());
  gitlab.on('GET', path).withHeader('authorization', 'Bearer two').once().reply(manifestReply());
  for (const seconds of [0, 240, 30]) {
    gitlab.clock.advance(seconds * 1000);
    await gitlab.upstream.manifest(repo('group/app'), tagged('1'));
  }
});
