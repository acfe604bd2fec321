import { describe, expect, test, vi } from 'vitest';
import type { CredentialSource } from '../../../src/upstream/credentials/credentials.ts';
import { CredentialError } from '../../../src/upstream/credentials/credentials.ts';
import {
  challenged,
  json,
  neverRespond,
  registryError,
  status,
  type Reply,
} from '../../support/scripted-reply.ts';
import { MANIFEST_DIGEST, manifestReply, repo, tagged } from '../../support/upstream-content.ts';
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const REGISTRY = 'registry.example.com';
const app = repo('team/app');
const path = '/v2/team/app/manifests/1';
const pull = (registry: UpstreamFixture) => registry.upstream.manifest(app, tagged('1'));

async function startRegistry(credentials?: CredentialSource): Promise<UpstreamFixture> {
  const registry = await startUpstreamFixture(REGISTRY, [], { credentials });
  registry.on('GET', path).withHeader('authorization', undefined).reply(challenge(registry));
  return registry;
}

function challenge(registry: UpstreamFixture, rest = ''): Reply {
  return challenged(`Bearer realm="${registry.url(REGISTRY, '/token')}",service="s"${rest}`);
}

describe('one token for many', () => {
  test('50 requests at once fetch one token', async () => {
    await using registry = await startRegistry();
    const held = neverRespond();
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 't', expires_in: 300 }), held);
    registry.on('GET', path).withHeader('authorization', 'Bearer t').times(50).reply(manifestReply());
    const pulls = Array.from({ length: 50 }, () => pull(registry));
    await held.reached;
    held.release();
    const digests = (await Promise.all(pulls)).map(({ digest }) => digest);
    expect(new Set(digests)).toEqual(new Set([MANIFEST_DIGEST]));
  });

  test('all who wait get the error, and the next one asks again', async () => {
    await using registry = await startRegistry();
    const held = neverRespond();
    registry.on('GET', '/token').once().reply(status(503), held);
    const pulls = [pull(registry), pull(registry), pull(registry)];
    await held.reached;
    // Whoever is late to the first answer finds a second one that fails the same way.
    registry.on('GET', '/token').inState('start').reply(status(503));
    held.release();
    const settled = await Promise.allSettled(pulls);
    expect(settled.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
    registry.script.moveTo('up');
    registry
      .on('GET', '/token')
      .inState('up')
      .reply(json({ token: 't' }));
    registry.on('GET', path).withHeader('authorization', 'Bearer t').reply(manifestReply());
    expect((await pull(registry)).digest).toBe(MANIFEST_DIGEST);
  });

  test('one caller that gives up takes the token from nobody', async () => {
    await using registry = await startRegistry();
    const held = neverRespond();
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 't' }), held);
    registry.on('GET', path).withHeader('authorization', 'Bearer t').once().reply(manifestReply());
    const abort = new AbortController();
    const leaver = registry.upstream.manifest(app, tagged('1'), { signal: abort.signal });
    await held.reached;
    const stayer = pull(registry);
    abort.abort();
    await expect(leaver).rejects.toMatchObject({ failure: 'unavailable', reason: 'cancelled' });
    held.release();
    expect((await stayer).digest).toBe(MANIFEST_DIGEST);
  });

  test('accounts do not share: another password of another account gets its own token', async () => {
    let username = 'one';
    const credentials: CredentialSource = {
      get: () => Promise.resolve({ kind: 'password', username, password: 'pw' }),
      invalidate: () => undefined,
    };
    await using registry = await startRegistry(credentials);
    for (const name of ['one', 'two']) {
      registry
        .on('GET', '/token')
        .withQuery('account', name)
        .once()
        .reply(json({ token: name }));
      registry.on('GET', path).withHeader('authorization', `Bearer ${name}`).once().reply(manifestReply());
    }
    await pull(registry);
    username = 'two';
    await pull(registry);
  });
});

describe('how long a token is used', () => {
  test.each([
    ['as said', { expires_in: 300 }, 300],
    ['absent: a minute', {}, 60],
    ['zero: a minute', { expires_in: 0 }, 60],
    ['negative: a minute', { expires_in: -1 }, 60],
  ])('%s', async (_name, rest, seconds) => {
    await using registry = await startRegistry();
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'one', ...rest }));
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'two', ...rest }));
    registry.on('GET', path).withHeader('authorization', 'Bearer one').times(2).reply(manifestReply());
    registry.on('GET', path).withHeader('authorization', 'Bearer two').times(1).reply(manifestReply());
    await pull(registry);
    registry.clock.advance(seconds * 900 - 1);
    await pull(registry);
    registry.clock.advance(1);
    await pull(registry);
  });
});

describe('a token that is refused', () => {
  const refusals: readonly (readonly [string, (registry: UpstreamFixture) => Reply])[] = [
    ['401 invalid_token', (registry) => challenge(registry, ',error="invalid_token"')],
    ['401 without a challenge', () => status(401)],
    ['403 without a challenge', () => registryError(403, 'DENIED')],
    ['400 DENIED', () => registryError(400, 'DENIED')],
    [
      'insufficient_scope for another scope',
      (registry) => challenge(registry, ',scope="x",error="insufficient_scope"'),
    ],
  ];

  test.each(refusals)('%s: one renewal, one more try', async (_name, refusal) => {
    await using registry = await startRegistry();
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'old', expires_in: 300 }));
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'new', expires_in: 300 }));
    registry.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(manifestReply());
    await pull(registry);
    registry.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(refusal(registry));
    registry.on('GET', path).withHeader('authorization', 'Bearer new').once().reply(manifestReply());
    expect((await pull(registry)).digest).toBe(MANIFEST_DIGEST);
  });

  test.each(refusals)('%s again: there is no third try', async (_name, refusal) => {
    await using registry = await startRegistry();
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'old', expires_in: 300 }));
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'new', expires_in: 300 }));
    registry.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(manifestReply());
    await pull(registry);
    registry
      .on('GET', path)
      .withHeader('authorization', /^Bearer/)
      .times(2)
      .reply(refusal(registry));
    await expect(pull(registry)).rejects.toMatchObject({ isVerdict: _name !== '401 without a challenge' });
  });

  test('is renewed once for 20 who are refused at once, and asked for by few of them', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const anonymous = () => registry.on('GET', path).withHeader('authorization', undefined);
    anonymous().once().reply(challenge(registry));
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'old', expires_in: 300 }));
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'new', expires_in: 300 }));
    registry.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(manifestReply());
    await pull(registry);
    const held = neverRespond();
    anonymous().reply(challenge(registry), held);
    registry.on('GET', path).withHeader('authorization', 'Bearer old').times(20).reply(status(401));
    registry.on('GET', path).withHeader('authorization', 'Bearer new').times(20).reply(manifestReply());
    const pulls = Array.from({ length: 20 }, () => pull(registry));
    await vi.waitUntil(
      () => registry.script.hits.filter((hit) => hit.complete && hit.status === 401).length === 21,
    );
    held.release();
    expect(await Promise.all(pulls)).toHaveLength(20);
    const probes = registry.script.hits.filter((hit) => hit.path === path && !hit.headers.authorization);
    expect(probes.length).toBeLessThan(5);
  });

  test('whoever is told of it late takes the token that others have got', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.on('GET', path).withHeader('authorization', undefined).times(2).reply(challenge(registry));
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'old', expires_in: 300 }));
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 'new', expires_in: 300 }));
    const held = neverRespond();
    registry.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(manifestReply());
    registry.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(status(401), held);
    registry.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(status(401));
    registry.on('GET', path).withHeader('authorization', 'Bearer new').times(2).reply(manifestReply());
    await pull(registry);
    const late = pull(registry);
    await held.reached;
    await pull(registry);
    held.release();
    expect((await late).digest).toBe(MANIFEST_DIGEST);
  });

  test('a registry that has become open is pulled from without a token', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry
      .on('GET', path)
      .inState('start')
      .withHeader('authorization', undefined)
      .reply(challenge(registry));
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 't', expires_in: 300 }));
    registry.on('GET', path).withHeader('authorization', 'Bearer t').once().reply(manifestReply());
    await pull(registry);
    registry.script.moveTo('open');
    registry.on('GET', path).withHeader('authorization', 'Bearer t').once().reply(status(403));
    registry
      .on('GET', path)
      .inState('open')
      .withHeader('authorization', undefined)
      .times(3)
      .reply(manifestReply());
    await pull(registry);
    await pull(registry);
  });
});

describe('where the token that is remembered to be wanted cannot be had', () => {
  const realmAt = (registry: UpstreamFixture, host: string): Reply =>
    challenged(`Bearer realm="${registry.url(host, '/token')}"`);
  const other = '/v2/team/other/manifests/1';
  const account: CredentialSource = {
    get: () => Promise.resolve({ kind: 'password', username: 'bot', password: 'pw' }),
    invalidate() {},
  };

  test('a realm that has moved is found by the request itself', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, ['old.example.com', 'new.example.com']);
    const anonymous = () => registry.on('GET', path).withHeader('authorization', undefined).once();
    anonymous().reply(realmAt(registry, 'old.example.com'));
    anonymous().reply(realmAt(registry, 'new.example.com'));
    const tokens = (host: string) => registry.on('GET', '/token').at(host).once();
    tokens('old.example.com').reply(json({ token: 'old' }));
    tokens('old.example.com').reply(status(502));
    tokens('new.example.com').reply(json({ token: 'new' }));
    registry
      .on('GET', path)
      .withHeader('authorization', /^Bearer (?:old|new)$/)
      .times(2)
      .reply(manifestReply());
    await pull(registry);
    registry.clock.advance(60_000);
    await pull(registry);
  });

  test('the same realm is not asked again by the same request', async () => {
    await using registry = await startRegistry();
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 't' }));
    registry.on('GET', path).withHeader('authorization', 'Bearer t').once().reply(manifestReply());
    registry.on('GET', '/token').once().reply(status(502));
    await pull(registry);
    registry.clock.advance(60_000);
    await expect(pull(registry)).rejects.toMatchObject({ failure: 'unavailable', reason: 'token' });
  });

  test.each([
    [404, ['GET', 'POST']],
    [401, ['GET']],
    [403, ['GET']],
    [429, ['GET']],
    [502, ['GET']],
  ] as const)('a realm of another repository that answers %i stops no request', async (refusal, methods) => {
    await using registry = await startUpstreamFixture(REGISTRY, ['evil.example.com'], {
      credentials: account,
    });
    registry
      .on('GET', path)
      .withHeader('authorization', undefined)
      .once()
      .reply(realmAt(registry, 'evil.example.com'));
    for (const method of methods) {
      registry.on(method, '/token').at('evil.example.com').times(2).reply(status(refusal));
    }
    await expect(pull(registry)).rejects.toThrow('no token');
    const asked = (authorization: string | undefined) =>
      registry.on('GET', other).withHeader('authorization', authorization).once();
    asked(undefined).reply(challenged('Basic realm="x"'));
    asked(`Basic ${Buffer.from('bot:pw').toString('base64')}`).reply(manifestReply());
    await registry.upstream.manifest(repo('team/other'), tagged('1'));
  });

  test('an account that the realm refuses is shown to it once for each request', async () => {
    await using registry = await startRegistry(account);
    registry.on('GET', other).withHeader('authorization', undefined).once().reply(challenge(registry));
    registry.on('GET', '/token').times(2).reply(status(401));
    await expect(pull(registry)).rejects.toMatchObject({ reason: 'account-refused' });
    const second = registry.upstream.manifest(repo('team/other'), tagged('1'));
    await expect(second).rejects.toMatchObject({ reason: 'account-refused' });
  });
});

test('a token endpoint that is asked too much throttles all that needs a token', async () => {
  await using registry = await startRegistry();
  registry
    .on('GET', '/token')
    .once()
    .reply(status(429, { retryAfter: 7 }));
  await expect(pull(registry)).rejects.toMatchObject({
    failure: 'throttled',
    reason: 'token',
    retryAfterMs: 7_000,
  });
});

describe('the account', () => {
  const basic = (password: string): string => `Basic ${Buffer.from(`bot:${password}`).toString('base64')}`;

  test('a secret that was rotated while the old one is refused is read again', async () => {
    let password = 'old';
    let invalidated = 0;
    const source: CredentialSource = {
      get: () => Promise.resolve({ kind: 'password', username: 'bot', password }),
      invalidate: () => {
        invalidated += 1;
        password = 'new';
      },
    };
    await using registry = await startRegistry(source);
    registry.on('GET', '/token').withHeader('authorization', basic('old')).once().reply(status(401));
    registry
      .on('GET', '/token')
      .withHeader('authorization', basic('new'))
      .once()
      .reply(json({ token: 't' }));
    registry.on('GET', path).withHeader('authorization', 'Bearer t').reply(manifestReply());
    expect((await pull(registry)).digest).toBe(MANIFEST_DIGEST);
    expect(invalidated).toBe(1);
  });

  test('a secret that is wrong is sent once: nobody is locked out', async () => {
    const source: CredentialSource = {
      get: () => Promise.resolve({ kind: 'password', username: 'bot', password: 'wrong' }),
      invalidate: () => undefined,
    };
    await using registry = await startRegistry(source);
    registry.on('GET', '/token').once().reply(status(401));
    await expect(pull(registry)).rejects.toMatchObject({ failure: 'denied', reason: 'account-refused' });
  });

  test('an account that is refused is not shown again for 30 seconds, but for another secret', async () => {
    let password = 'wrong';
    const source: CredentialSource = {
      get: () => Promise.resolve({ kind: 'password', username: 'bot', password }),
      invalidate: () => undefined,
    };
    await using registry = await startRegistry(source);
    const refused = { failure: 'denied', reason: 'account-refused', status: 401 };
    registry.on('GET', '/token').withHeader('authorization', basic('wrong')).times(2).reply(status(401));
    await expect(pull(registry)).rejects.toMatchObject({ ...refused, wasAsked: true });
    registry.clock.advance(29_999);
    await expect(pull(registry)).rejects.toMatchObject({ ...refused, wasAsked: false });
    await expect(pull(registry)).rejects.toMatchObject({ ...refused, wasAsked: false });
    expect(registry.script.hits.filter(({ path }) => path === '/token')).toHaveLength(1);
    registry.clock.advance(1);
    await expect(pull(registry)).rejects.toMatchObject({ ...refused, wasAsked: true });
    password = 'right';
    registry
      .on('GET', '/token')
      .withHeader('authorization', basic('right'))
      .reply(json({ token: 't' }));
    registry.on('GET', path).withHeader('authorization', 'Bearer t').reply(manifestReply());
    expect((await pull(registry)).digest).toBe(MANIFEST_DIGEST);
  });

  test('a password goes by POST where the token endpoint does no GET', async () => {
    const source: CredentialSource = {
      get: () => Promise.resolve({ kind: 'password', username: 'bot', password: 'pw' }),
      invalidate: () => undefined,
    };
    await using registry = await startRegistry(source);
    registry.on('GET', '/token').once().reply(status(405));
    registry
      .on('POST', '/token')
      .once()
      .reply(json({ access_token: 't' }));
    registry.on('GET', path).withHeader('authorization', 'Bearer t').reply(manifestReply());
    expect((await pull(registry)).digest).toBe(MANIFEST_DIGEST);
    expect(registry.script.hitsOf('POST')[0]?.body).toContain('grant_type=password');
  });

  test('a secret that cannot be read is no reason to ask without it', async () => {
    const source: CredentialSource = {
      get: () => Promise.reject(new CredentialError('/run/secret cannot be read: ENOENT')),
      invalidate: () => undefined,
    };
    await using registry = await startRegistry(source);
    await expect(pull(registry)).rejects.toMatchObject({
      failure: 'unavailable',
      reason: 'credentials',
      wasAsked: false,
      message: `${REGISTRY}: /run/secret cannot be read: ENOENT`,
    });
  });
});
