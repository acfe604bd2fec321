import { expect, test } from 'vitest';
import { credentialSource } from '../../../src/upstream/credentials/source.ts';
import { challenged, json, redirect, registryError, status } from '../../support/scripted-reply.ts';
import { MANIFEST_DIGEST, manifestReply, repo, tagged } from '../../support/upstream-content.ts';
import {
  startUpstreamFixture,
  type UpstreamFixture,
  type UpstreamFixtureOptions,
} from '../../support/upstream-fixture.ts';

const REGISTRY = 'registry.example.com';
const SIBLING = 'auth.example.com';
const EVIL = 'auth.evil.net';
const app = repo('team/app');
const path = '/v2/team/app/manifests/1';
const basic = `Basic ${Buffer.from('bot:secret').toString('base64')}`;
const credentials = credentialSource(
  { kind: 'password', username: 'bot', password: 'secret' },
  { name: REGISTRY, url: new URL(`https://${REGISTRY}`) },
);

async function startWith(realmHost: string, options: UpstreamFixtureOptions = {}): Promise<UpstreamFixture> {
  const registry = await startUpstreamFixture(REGISTRY, [SIBLING, EVIL], { credentials, ...options });
  const challenge = `Bearer realm="${registry.url(realmHost, '/token')}",service="s"`;
  registry.on('GET', path).withHeader('authorization', undefined).reply(challenged(challenge));
  registry.on('GET', path).withHeader('authorization', 'Bearer t').reply(manifestReply());
  return registry;
}

test.each([REGISTRY, SIBLING])('the account goes to the realm at %s', async (host) => {
  await using registry = await startWith(host);
  registry
    .on('GET', '/token')
    .at(host)
    .withHeader('authorization', basic)
    .once()
    .reply(json({ token: 't' }));
  expect((await registry.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('a realm of another domain is asked without the account (CVE-2020-15157, CVE-2026-33540)', async () => {
  await using registry = await startWith(EVIL);
  registry
    .on('GET', '/token')
    .at(EVIL)
    .withHeader('authorization', undefined)
    .withQuery('account', undefined)
    .once()
    .reply(json({ token: 't' }));
  expect((await registry.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('a realm that the config trusts gets the account', async () => {
  await using registry = await startUpstreamFixture(REGISTRY, [EVIL], {
    credentials,
    trustedRealms: [EVIL],
    scheme: 'http',
  });
  // By its name alone a host is trusted at the usual port only.
  const challenge = `Bearer realm="${registry.url(EVIL, '/token')}"`;
  registry.on('GET', path).withHeader('authorization', undefined).reply(challenged(challenge));
  registry.on('GET', '/token').withHeader('authorization', undefined).reply(status(401));
  const failed = { failure: 'unavailable', reason: 'token', status: 401 };
  await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(failed);

  const trustedRealms = [`${EVIL}:${registry.script.port}`];
  const trusting = await startWith(EVIL, { trustedRealms });
  await trusting.upstream.close();
  await trusting.script.close();
});

test('a realm by http is not asked by a registry of https (CVE-2026-48978)', async () => {
  await using registry = await startUpstreamFixture(REGISTRY, [], { credentials });
  const challenge = `Bearer realm="http://${REGISTRY}:${registry.script.port}/token"`;
  registry.on('GET', path).reply(challenged(challenge));
  const pull = registry.upstream.manifest(app, tagged('1'));
  await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'challenge' });
});

test.each(['10.0.0.1', '127.0.0.1', '169.254.169.254'])(
  'a realm at %s is not asked at all',
  async (address) => {
    await using registry = await startWith(EVIL);
    registry.network.name(EVIL, address);
    const pull = registry.upstream.manifest(app, tagged('1'));
    await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'forbidden-address' });
    expect(registry.network.dialled).not.toContain(address);
  },
);

test('a token endpoint that redirects elsewhere takes the account nowhere', async () => {
  await using registry = await startWith(REGISTRY);
  registry
    .on('GET', '/token')
    .at(REGISTRY)
    .withHeader('authorization', basic)
    .reply(redirect(registry.url(EVIL, '/steal')));
  registry
    .on('GET', '/steal')
    .at(EVIL)
    .withHeader('authorization', undefined)
    .reply(json({ token: 't' }));
  expect((await registry.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('a POST with a secret is not redirected', async () => {
  const own = { name: REGISTRY, url: new URL(`https://${REGISTRY}`) };
  await using registry = await startWith(REGISTRY, {
    credentials: credentialSource({ kind: 'identity-token', token: 'secret' }, own),
  });
  registry
    .on('POST', '/token')
    .once()
    .reply(redirect(registry.url(EVIL, '/steal')));
  const pull = registry.upstream.manifest(app, tagged('1'));
  await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'token', status: 307 });
});

test('no error and no event holds a secret', async () => {
  await using registry = await startWith(REGISTRY);
  registry
    .on('GET', '/token')
    .reply(registryError(401, 'UNAUTHORIZED', { message: 'no such user at /x?pw=secret' }));
  const error: unknown = await registry.upstream.manifest(app, tagged('1')).catch((error: unknown) => error);
  expect(error).toMatchObject({ failure: 'denied', reason: 'account-refused' });
  expect(`${String(error)} ${JSON.stringify([error, registry.events])}`).not.toMatch(/secret|Ym90/);
});

test('challenges that Larder cannot meet are denied', async () => {
  await using registry = await startUpstreamFixture(REGISTRY, [], { credentials });
  registry.on('GET', path).reply(challenged('Negotiate', 'Digest realm="x",nonce="y"'));
  registry.on('GET', '/v2/').reply(challenged('Negotiate'));
  await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({
    failure: 'denied',
    status: 401,
  });
});

test('a token answer beyond 1 MiB is cut, one without a token is no token', async () => {
  await using registry = await startWith(REGISTRY);
  registry
    .on('GET', '/token')
    .once()
    .reply(json({ token: 't'.repeat(2 * 1024 * 1024) }));
  registry
    .on('GET', '/token')
    .once()
    .reply(json({ errors: [] }));
  await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'content' });
  await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'token' });
});

test.each([
  ['429', status(429, { retryAfter: 9 }), { failure: 'throttled', retryAfterMs: 9000 }],
  ['503', status(503), { failure: 'unavailable', reason: 'token' }],
  ['404', status(404), { failure: 'unavailable', reason: 'token' }],
])('a token endpoint that answers %s', async (_name, reply, expected) => {
  await using registry = await startWith(REGISTRY, { credentials: undefined });
  registry.on('GET', '/token').reply(reply);
  await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(expected);
});
