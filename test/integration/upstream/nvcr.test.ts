import { expect, test } from 'vitest';
import { credentialSource } from '../../../src/upstream/credentials/source.ts';
import { challenged, json, registryError } from '../../support/scripted-reply.ts';
import { MANIFEST_DIGEST, manifestReply, repo, tagged } from '../../support/upstream-content.ts';
import { startUpstreamFixture } from '../../support/upstream-fixture.ts';

const NVCR = 'nvcr.io';
const OTHER = 'authn.nvidia.com';
const cuda = repo('nvidia/cuda');
const path = '/v2/nvidia/cuda/manifests/12';

test('the challenge has no service, and the user name has a dollar', async () => {
  const registry = { name: NVCR, url: new URL(`https://${NVCR}`) };
  const account = { kind: 'password', username: '$oauthtoken', password: 'key' } as const;
  await using nvcr = await startUpstreamFixture(NVCR, [], {
    credentials: credentialSource(account, registry),
  });
  const scope = 'repository:nvidia/cuda:pull';
  const challenge = `Bearer realm="${nvcr.url(NVCR, '/proxy_auth')}",scope="${scope}"`;
  nvcr.on('GET', path).withHeader('authorization', undefined).reply(challenged(challenge));
  nvcr
    .on('GET', '/proxy_auth')
    .withHeader('authorization', `Basic ${Buffer.from('$oauthtoken:key').toString('base64')}`)
    .withQuery('service', undefined)
    .withQuery('scope', scope)
    .withQuery('account', '$oauthtoken')
    .reply(json({ token: 't' }));
  nvcr.on('GET', path).withHeader('authorization', 'Bearer t').reply(manifestReply());
  expect((await nvcr.upstream.manifest(cuda, tagged('12'))).digest).toBe(MANIFEST_DIGEST);
});

test('an expired token is answered with the realm of another domain, which is not believed', async () => {
  await using nvcr = await startUpstreamFixture(NVCR, [OTHER]);
  const usual = `Bearer realm="${nvcr.url(NVCR, '/proxy_auth')}",scope="repository:nvidia/cuda:pull"`;
  const odd = `Bearer realm="${nvcr.url(OTHER, '/token')}",service="registry",error="invalid_token"`;
  nvcr.on('GET', path).withHeader('authorization', undefined).times(2).reply(challenged(usual));
  nvcr
    .on('GET', '/proxy_auth')
    .once()
    .reply(json({ token: 'old' }));
  nvcr
    .on('GET', '/proxy_auth')
    .once()
    .reply(json({ token: 'new' }));
  nvcr.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(manifestReply());
  await nvcr.upstream.manifest(cuda, tagged('12'));
  nvcr.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(challenged(odd));
  nvcr.on('GET', path).withHeader('authorization', 'Bearer new').once().reply(manifestReply());
  expect((await nvcr.upstream.manifest(cuda, tagged('12'))).digest).toBe(MANIFEST_DIGEST);
  expect(nvcr.hitsAt(OTHER)).toEqual([]);
});

test('credentials do not go to the other domain, and the error says so; a trusted realm gets them', async () => {
  const registry = { name: NVCR, url: new URL(`https://${NVCR}`) };
  const account = { kind: 'password', username: '$oauthtoken', password: 'key' } as const;
  const credentials = credentialSource(account, registry);
  await using nvcr = await startUpstreamFixture(NVCR, [OTHER], { credentials });
  const odd = `Bearer realm="${nvcr.url(OTHER, '/token')}",service="registry"`;
  nvcr.on('GET', path).withHeader('authorization', undefined).reply(challenged(odd));
  nvcr
    .on('GET', '/token')
    .at(OTHER)
    .withHeader('authorization', undefined)
    .reply(json({ token: 'weak' }));
  nvcr.on('GET', path).withHeader('authorization', 'Bearer weak').reply(registryError(403, 'DENIED'));
  await expect(nvcr.upstream.manifest(cuda, tagged('12'))).rejects.toMatchObject({
    failure: 'denied',
    message: expect.stringContaining(`were not sent to the token realm ${OTHER}`) as string,
  });

  await using trusting = await startUpstreamFixture(NVCR, [OTHER], {
    credentials,
    trustedRealms: [`${OTHER}:1`, OTHER],
  });
  const realm = `https://${OTHER}/token`;
  trusting
    .on('GET', path)
    .withHeader('authorization', undefined)
    .reply(challenged(`Bearer realm="${realm}"`));
  await expect(trusting.upstream.manifest(cuda, tagged('12'))).rejects.toMatchObject({
    message: expect.stringContaining(`${OTHER}: connection refused`) as string,
  });
});
