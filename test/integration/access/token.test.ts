import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_AUTHENTICATION } from '../../../src/access/authentication.ts';
import { Gate } from '../../../src/access/gate.ts';
import type { Identity } from '../../../src/access/identity.ts';
import { Rules, type Rule } from '../../../src/access/rules/rules.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import type { ReceivedAnswer, RequestOptions } from '../../support/http-get.ts';
import {
  MINUTE,
  startMirror,
  type MirrorFixture,
  type MirrorFixtureOptions,
} from '../../support/mirror-fixture.ts';
import { scriptedAuthentication } from '../../support/scripted-authentication.ts';

/** Docker Hub's official images are open, and Alice may pull her team's. */
const RULES: readonly Rule[] = [
  {
    repositories: ['ghcr.io/acme/**'],
    who: [{ kind: 'user', name: 'alice' }],
    allow: ['pull', 'tags', 'push'],
  },
  { repositories: ['docker.io/library/**'], who: [{ kind: 'anonymous' }], allow: ['pull', 'tags'] },
];

const ALICE: Identity = { principal: { kind: 'user', name: 'alice' } };
/** A token of Alice's for one repository. */
const NARROW: Identity = { ...ALICE, grant: new Map([['ghcr.io/acme/app', new Set(['pull'] as const)]]) };

const LOGIN = scriptedAuthentication({
  [basic('alice:secret')]: ALICE,
  'Bearer narrow': NARROW,
  [basic('many:guesses')]: 'throttled',
  [basic('issuer:down')]: 'unavailable',
});

let registry: FakeRegistry;
let stack: AsyncDisposableStack;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  registry = stack.use(await startFakeRegistry());
});

afterEach(() => stack.disposeAsync());

async function start(options: Partial<MirrorFixtureOptions> = {}): Promise<MirrorFixture> {
  const upstreams = [
    { name: 'docker.io', registry, addLibrary: true },
    { name: 'ghcr.io', registry, hosts: ['ghcr.mirror.test'] },
  ];
  const gate = new Gate(new Rules(RULES, new Map()), NO_AUTHENTICATION);
  return stack.use(await startMirror({ upstreams, gate, login: LOGIN, ...options }));
}

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function bodyOf({ body }: ReceivedAnswer): Readonly<Record<string, unknown>> {
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

function accessOf(answer: ReceivedAnswer): unknown {
  const { token } = bodyOf(answer);
  return typeof token === 'string' ? decodeJwt(token)['access'] : undefined;
}

function post(form: Readonly<Record<string, string>>): RequestOptions {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', headers, body: new URLSearchParams(form).toString() };
}

const PULL_DEBIAN = { type: 'repository', name: 'docker.io/library/debian', actions: ['pull', 'tags'] };
const PULL_APP = { type: 'repository', name: 'ghcr.io/acme/app', actions: ['pull', 'tags'] };

describe('a token is issued', () => {
  it('in the form that clients read', async () => {
    const mirror = await start();
    const answer = await mirror.get('/token?service=larder&scope=repository:library/debian:pull');
    const { token, ...rest } = bodyOf(answer);
    expect(answer.status).toBe(200);
    expect(rest).toEqual({
      access_token: token,
      expires_in: 300,
      issued_at: new Date(mirror.clock.now()).toISOString(),
    });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'request-1',
    });
  });

  it('also where nothing is closed and there are no users, whatever a client sends', async () => {
    const upstreams = [{ name: 'docker.io', registry, addLibrary: true }];
    const mirror = stack.use(await startMirror({ upstreams }));
    const headers = { Authorization: basic('hub-account:secret') };
    const answer = await mirror.get('/token?scope=repository:library/debian:pull', { headers });
    expect(decodeJwt(String(bodyOf(answer)['token']))).toMatchObject({
      sub: 'anonymous',
      access: [PULL_DEBIAN],
    });
  });

  it('that is logged with its user, and without the account and the scopes', async () => {
    const mirror = await start();
    const headers = { Authorization: basic('alice:secret') };
    await mirror.get('/token?account=alice&ns=ghcr.io&scope=repository:acme/app:pull', { headers });
    expect(mirror.served).toMatchObject([
      { requestKind: 'token', status: 200, url: '/token?ns=ghcr.io', user: 'user:alice' },
    ]);
  });
});

/** What clients send: their names are those of the programs. */
describe('the flow of', () => {
  it('docker login asks for no scope, and gets a token that proves who it is and no more', async () => {
    const mirror = await start();
    const headers = { Authorization: basic('alice:secret') };
    const path = '/token?account=alice&client_id=docker&offline_token=true&service=larder';
    const answer = await mirror.get(path, { headers });
    expect(decodeJwt(String(bodyOf(answer)['token']))).toMatchObject({ sub: 'user:alice', access: [] });
  });

  it('docker pull through a mirror with a path has names of Docker Hub', async () => {
    const mirror = await start();
    const path = '/token?ns=docker.io&scope=repository%3Alibrary%2Fdebian%3Apull&service=larder';
    expect(accessOf(await mirror.get(path))).toEqual([PULL_DEBIAN]);
  });

  it('containerd posts a password, and the same repository in two spellings', async () => {
    const mirror = await start();
    const form = {
      client_id: 'containerd-client',
      grant_type: 'password',
      username: 'alice',
      password: 'secret',
      service: 'larder',
      scope: 'repository:acme/app:pull repository:ghcr.io/acme/app:pull',
    };
    const answer = await mirror.get('/token?ns=ghcr.io', post(form));
    expect(accessOf(answer)).toEqual([PULL_APP]);
    expect(bodyOf(answer)['scope']).toBe(form.scope);
  });

  it('containerd without a user posts its secret as a refresh token', async () => {
    const mirror = await start();
    const form = {
      grant_type: 'refresh_token',
      refresh_token: 'narrow',
      scope: 'repository:acme/app:pull,push',
    };
    const answer = await mirror.get('/token?ns=ghcr.io', post(form));
    expect(accessOf(answer)).toEqual([{ ...PULL_APP, actions: ['pull'] }]);
    expect(bodyOf(answer)['scope']).toBe('repository:acme/app:pull');
  });

  it('podman has the registry in front of the name, and sends empty credentials if it has none', async () => {
    const mirror = await start();
    const path = '/token?scope=repository%3Aghcr.io%2Facme%2Fapp%3Apull&service=larder';
    const headers = { Authorization: basic('alice:secret') };
    expect(accessOf(await mirror.get(`${path}&account=alice`, { headers }))).toEqual([PULL_APP]);
    expect(accessOf(await mirror.get(path))).toEqual([]);
  });

  it('a client by the name of a host has names of its registry', async () => {
    const mirror = await start();
    const headers = { Authorization: basic('alice:secret'), Host: 'ghcr.mirror.test' };
    expect(accessOf(await mirror.get('/token?scope=repository:acme/app:pull', { headers }))).toEqual([
      PULL_APP,
    ]);
  });
});

describe('a token is for less than is asked', () => {
  it.each<[string, string, unknown]>([
    ['what the user may not', 'repository:ghcr.io/acme/app:delete repository:debian:push', []],
    ['some actions', 'repository:ghcr.io/acme/app:*', [{ ...PULL_APP, actions: ['pull', 'tags', 'push'] }]],
    [
      'some of several repositories',
      'repository:ghcr.io/other/app:pull repository:debian:pull',
      [PULL_DEBIAN],
    ],
    ['a registry that is not there', 'repository:evil.example/a:pull', []],
    ['a name that is none', 'repository:GHCR.io/Acme//App:pull repository:../x:pull', []],
    ['the catalog', 'registry:catalog:*', [{ type: 'registry', name: 'catalog', actions: ['*'] }]],
  ])('%s', async (_, scope, access) => {
    const mirror = await start();
    const headers = { Authorization: basic('alice:secret') };
    const answer = await mirror.get(`/token?${new URLSearchParams({ scope }).toString()}`, { headers });
    expect([answer.status, accessOf(answer)]).toEqual([200, access]);
  });

  it('a registry in the realm that is not there', async () => {
    const mirror = await start();
    const answer = await mirror.get('/token?ns=evil.example&scope=repository:library/debian:pull');
    expect([answer.status, accessOf(answer)]).toEqual([200, []]);
  });

  it('what the token does not hold that stands in for a password', async () => {
    const mirror = await start();
    const scope = 'repository:ghcr.io/acme/app:pull repository:ghcr.io/acme/other:pull registry:catalog:*';
    const answer = await mirror.get(
      '/token',
      post({ grant_type: 'refresh_token', refresh_token: 'narrow', scope }),
    );
    expect(accessOf(answer)).toEqual([{ ...PULL_APP, actions: ['pull'] }]);
  });
});

describe('no token is issued', () => {
  it('for wrong credentials, by which docker login fails', async () => {
    const mirror = await start();
    const headers = { Authorization: basic('alice:guess') };
    const answer = await mirror.get('/token?service=larder', { headers });
    expect(answer.status).toBe(401);
    expect(bodyOf(answer)).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
    expect(answer.headers).toMatchObject({
      'www-authenticate': 'Basic realm="larder"',
      'cache-control': 'no-store',
    });
  });

  it.each<[string, RequestOptions, number, string]>([
    [
      'while the address is throttled',
      { headers: { Authorization: basic('many:guesses') } },
      429,
      'TOOMANYREQUESTS',
    ],
    ['while its issuer is down', { headers: { Authorization: basic('issuer:down') } }, 503, 'UNAVAILABLE'],
    ['by a form that is none', post({ grant_type: 'x' }), 400, 'NAME_INVALID'],
    ['by a form that is too long', post({ grant_type: 'x'.repeat(30_000) }), 400, 'SIZE_INVALID'],
    ['by another method', { method: 'PUT' }, 405, 'UNSUPPORTED'],
  ])('%s', async (_, asked, status, code) => {
    const mirror = await start();
    const answer = await mirror.get('/token', asked);
    expect([answer.status, bodyOf(answer)]).toMatchObject([status, { errors: [{ code }] }]);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['retry-after']).toBe(status === 429 ? '7' : undefined);
    expect(answer.headers.allow).toBe(status === 405 ? 'GET, POST' : undefined);
    expect(answer.headers['www-authenticate']).toBeUndefined();
  });

  it('to HEAD, which has no body to hold it', async () => {
    const mirror = await start();
    const answer = await mirror.head('/token');
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, POST']);
  });
});

describe('a flood of requests for tokens', () => {
  it('leaves room for pulls', async () => {
    let logins = 0;
    const waiting = Promise.withResolvers<undefined>();
    const login = {
      login: async () => {
        logins += 1;
        await waiting.promise;
        return { identity: ALICE };
      },
    };
    const mirror = await start({ login, limits: { requests: 8, requestsPerClient: 8 } });
    // Two of eight are for tokens.
    const held = [mirror.get('/token'), mirror.get('/token')];
    await expect.poll(() => logins).toBe(2);
    const refused = await mirror.get('/token');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    expect((await mirror.get('/v2/ghcr.io/acme/app/tags/list')).status).toBe(401);
    waiting.resolve(undefined);
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await mirror.get('/token')).status).toBe(200);
  });
});

it('a token of one hour later is signed by the same key', async () => {
  const mirror = await start();
  const [first, second] = [
    await mirror.get('/token'),
    (mirror.clock.advance(60 * MINUTE), await mirror.get('/token')),
  ];
  const kidOf = (answer: ReceivedAnswer): unknown =>
    JSON.parse(Buffer.from(String(bodyOf(answer)['token']).split('.')[0] ?? '', 'base64url').toString());
  expect(kidOf(first)).toEqual(kidOf(second));
});
