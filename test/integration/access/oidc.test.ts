import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JWTPayload } from 'jose';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { startOidcIssuer } from '../../support/oidc-issuer.ts';
import {
  AUDIENCE,
  KEYS_PATH,
  startScriptedIssuer,
  type ScriptedIssuer,
} from '../../support/scripted-issuer.ts';
import { json, neverRespond, status } from '../../support/scripted-reply.ts';

let stack: AsyncDisposableStack;
let registry: FakeRegistry;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  registry = stack.use(await startFakeRegistry());
  registry.putImage('acme/app', '1');
  registry.putImage('acme/other', '1');
  registry.putImage('open/app', '1');
});

afterEach(() => stack.disposeAsync());

/** Jobs of acme may pull acme/app, and every client what is open. */
function start(issuer: string): Promise<MirrorFixture> {
  const access = {
    oidc: { ci: { issuer, audience: AUDIENCE, claims: { owner: 'acme' } } },
    rules: [
      { repositories: ['ghcr.io/acme/app'], who: ['oidc:ci:job'], allow: ['pull', 'tags'] },
      { repositories: ['ghcr.io/open/**'], who: ['anonymous'], allow: ['pull', 'tags'] },
    ],
  };
  return startMirror({ upstreams: [{ name: 'ghcr.io', registry }], access });
}

const APP = '/v2/ghcr.io/acme/app/manifests/1';
const OTHER = '/v2/ghcr.io/acme/other/manifests/1';
const OPEN = '/v2/ghcr.io/open/app/manifests/1';
const OWNED: JWTPayload = { owner: 'acme' };

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const basic = (password: string) => ({
  Authorization: `Basic ${Buffer.from(`any name:${password}`).toString('base64')}`,
});

async function pull(mirror: MirrorFixture, path: string, headers: Record<string, string>): Promise<number> {
  return (await mirror.get(path, { headers })).status;
}

describe('a token of a real issuer', () => {
  it('opens what the rules say, as a password, as a bearer token and by the token endpoint', async () => {
    const issuer = stack.use(await startOidcIssuer());
    await using mirror = await start(issuer.issuer);
    // The issuer has the system's clock.
    mirror.clock.jump(Date.now() - mirror.clock.now());
    const token = await issuer.token({ owner: 'acme' });
    expect(await pull(mirror, APP, {})).toBe(401);
    for (const headers of [basic(token), bearer(token)]) {
      expect(await pull(mirror, APP, headers)).toBe(200);
      expect(await pull(mirror, OTHER, headers)).toBe(404);
      expect(await pull(mirror, OPEN, headers)).toBe(200);
      expect(await pull(mirror, '/v2/', headers)).toBe(200);
    }
    const scope = 'scope=repository:ghcr.io/acme/app:pull&scope=repository:ghcr.io/acme/other:pull';
    const { body } = await mirror.get(`/token?service=larder&${scope}`, { headers: basic(token) });
    const { token: pullToken } = JSON.parse(body.toString()) as { token: string };
    expect(await pull(mirror, APP, bearer(pullToken))).toBe(200);
    expect(await pull(mirror, OTHER, bearer(pullToken))).toBe(404);
  });

  it('opens nothing if a condition does not hold, also not what is open to clients without a token', async () => {
    const issuer = stack.use(await startOidcIssuer());
    await using mirror = await start(issuer.issuer);
    mirror.clock.jump(Date.now() - mirror.clock.now());
    const token = await issuer.token({ owner: 'other' });
    expect(await pull(mirror, APP, basic(token))).toBe(401);
    expect(await pull(mirror, OPEN, basic(token))).toBe(401);
    expect((await mirror.get('/token?service=larder', { headers: basic(token) })).status).toBe(401);
  });
});

describe('an issuer', () => {
  async function scripted(): Promise<{ issuer: ScriptedIssuer; mirror: MirrorFixture }> {
    const time = { now: () => Date.UTC(2026, 0, 1) };
    const issuer = stack.use(await startScriptedIssuer(() => time.now()));
    const mirror = await start(issuer.issuer);
    time.now = () => mirror.clock.now();
    return { issuer, mirror };
  }

  it('is asked for its keys once, however many pulls there are', async () => {
    const { issuer, mirror } = await scripted();
    stack.use(mirror);
    expect(issuer.hits).toHaveLength(0);
    for (let i = 0; i < 20; i++) {
      const token = await issuer.sign({ ...OWNED, jti: String(i) });
      expect(await pull(mirror, APP, basic(token))).toBe(200);
    }
    expect(issuer.hits).toHaveLength(2);
  });

  it('that is down makes its tokens wait, and no other client', async () => {
    const { issuer, mirror } = await scripted();
    stack.use(mirror);
    issuer.answer(KEYS_PATH, status(500));
    const answer = await mirror.get(APP, { headers: basic(await issuer.sign(OWNED)) });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '30']);
    expect(await pull(mirror, OPEN, {})).toBe(200);
    expect(await pull(mirror, APP, {})).toBe(401);
    issuer.answer(KEYS_PATH, undefined);
    mirror.clock.advance(30_000);
    expect(await pull(mirror, APP, basic(await issuer.sign(OWNED)))).toBe(200);
  });

  it('whose token has ended gets it refused, although its verdict was remembered', async () => {
    const { issuer, mirror } = await scripted();
    stack.use(mirror);
    const exp = mirror.clock.now() / 1000 + 120;
    const token = await issuer.sign({ ...OWNED, exp });
    expect(await pull(mirror, APP, basic(token))).toBe(200);
    mirror.clock.advance(179_000);
    expect(await pull(mirror, APP, basic(token))).toBe(200);
    mirror.clock.advance(1_000);
    expect(await pull(mirror, APP, basic(token))).toBe(401);
  });

  it('that hangs keeps no connection and no timer once the server has ended', async () => {
    const { issuer, mirror } = await scripted();
    issuer.answer(KEYS_PATH, neverRespond()(json({})));
    const pulled = mirror.get(APP, { headers: basic(await issuer.sign(OWNED)) }).catch(() => undefined);
    await expect.poll(() => issuer.hits.length).toBe(2);
    // The fixture's end fails if a timer is left, and the issuer sees its connections close before it ends itself.
    await mirror[Symbol.asyncDispose]();
    await expect.poll(() => issuer.hits.every(({ closed }) => closed)).toBe(true);
    await pulled;
  });

  it('is not told of a token that is refused, and no event shows it', async () => {
    const { issuer, mirror } = await scripted();
    stack.use(mirror);
    const token = await issuer.sign({ owner: 'other' });
    expect(await pull(mirror, APP, basic(token))).toBe(401);
    const told = JSON.stringify(mirror.events, (_, value: unknown) =>
      value instanceof Error ? `${value.message} ${String(value.cause)}` : value,
    );
    const [, payload = '', signature = ''] = token.split('.');
    expect(told).toContain('has another claim');
    expect(told).not.toContain(payload);
    expect(told).not.toContain(signature);
    expect(issuer.hits.map(({ method, body }) => method + body)).toEqual(['GET', 'GET']);
  });
});
