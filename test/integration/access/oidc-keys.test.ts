import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import type { ProxyConfig } from '../../../src/config/values/addresses/proxy.ts';
import { issuerFixture, verifierOf } from '../../support/issuer-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startForwardProxy } from '../../support/proxy.ts';
import { AUDIENCE, DISCOVERY_PATH, KEYS_PATH, startScriptedIssuer } from '../../support/scripted-issuer.ts';
import {
  cutAfter,
  json,
  neverRespond,
  redirect,
  resetBeforeHeaders,
  stallAfter,
  status,
} from '../../support/scripted-reply.ts';
import { createCertificateAuthority } from '../../support/tls.ts';

const HOUR = 3600_000;
const WRONG = { failure: 'wrong-credentials', message: 'the token proves nothing here' };
const UNAVAILABLE = { failure: 'unavailable', message: 'the token cannot be checked at present' };

const because = (message: string | RegExp) => ({
  cause: expect.objectContaining({ message: expect.stringMatching(message) as string }) as Error,
});

async function temporaryFile(content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'larder-issuer-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'file');
  await writeFile(path, content);
  return path;
}

test('a token is verified by the keys that discovery leads to, which are fetched once', async () => {
  const { clock, issuer, verify } = await issuerFixture();
  const token = await issuer.sign();
  expect(issuer.hits).toHaveLength(0);
  const verified = await Promise.all([verify(token), verify(token), verify(token)]);
  expect(verified[0]).toEqual({
    identity: { principal: { kind: 'oidc', issuer: 'test', subject: 'job', groups: [] } },
    expiresAt: clock.now() + 360_000,
  });
  expect(issuer.hits.map(({ path }) => path)).toEqual([DISCOVERY_PATH, KEYS_PATH]);
  expect(issuer.hits[0]?.headers).toMatchObject({ 'user-agent': 'larder/test', accept: 'application/json' });
  expect(issuer.hits[0]?.headers).not.toHaveProperty('authorization');
});

describe('a token', () => {
  it.each<[string, object, object, string]>([
    ['for another audience', { aud: 'other.example.com' }, {}, '"aud"'],
    ['of another issuer', { iss: 'https://other.example.com' }, {}, '"iss"'],
    ['that has ended', { exp: Date.UTC(2026, 0, 1) / 1000 - 61 }, {}, '"exp"'],
    ['that begins later', { nbf: Date.UTC(2026, 0, 1) / 1000 + 61 }, {}, '"nbf"'],
    ['without an end', { exp: undefined }, {}, '"exp"'],
    ['without a subject', { sub: '' }, {}, 'no claim sub'],
    ['of another repository', { repository_owner: 'other' }, {}, 'another claim "repository_owner"'],
    ['signed by an unknown key', {}, { kid: 'unknown' }, 'no applicable key'],
  ])('%s is refused, and the client does not learn why', async (_, claims, header, message) => {
    const { issuer, verify } = await issuerFixture({ claims: { repository_owner: 'acme' } });
    const token = await issuer.sign({ repository_owner: 'acme', ...claims }, header);
    await expect(verify(token)).rejects.toMatchObject({ ...WRONG, ...because(message) });
  });

  it.each([
    ['for several audiences', { aud: ['other.example.com', AUDIENCE] }],
    ['that ended within the leeway', { exp: Date.UTC(2026, 0, 1) / 1000 - 59 }],
    ['that begins within the leeway', { nbf: Date.UTC(2026, 0, 1) / 1000 + 59 }],
    ['that lives for a year', { exp: Date.UTC(2027, 0, 1) / 1000 }],
  ])('%s is accepted', async (_, claims) => {
    const { issuer, verify } = await issuerFixture();
    await verify(await issuer.sign(claims));
  });

  it.each(['RS256', 'PS384', 'ES384', 'EdDSA'])('signed by %s is accepted', async (alg) => {
    const { issuer, verify } = await issuerFixture();
    await issuer.rotate(alg);
    await verify(await issuer.sign());
  });

  it('of more than 16 KiB is refused unread', async () => {
    const { issuer, verify } = await issuerFixture();
    const token = await issuer.sign({ padding: 'a'.repeat(16 * 1024) });
    await expect(verify(token)).rejects.toMatchObject({ ...WRONG, ...because('more than 16384 characters') });
    expect(issuer.hits).toHaveLength(0);
  });

  it.each([
    ['without a signature', (token: string) => `${header({ alg: 'none' })}.${token.split('.')[1]}.`],
    [
      'with the public key as a shared secret',
      (token: string) => swapped(token, { alg: 'HS256', kid: 'key-1' }),
    ],
    ['that brings its own key', (token: string) => swapped(token, { alg: 'ES256', jwk: {}, kid: 'key-1' })],
    ['with another payload', (token: string) => token.replace(/\.[^.]+\./, `.${header({ sub: 'admin' })}.`)],
    ['cut short', (token: string) => token.slice(0, -2)],
    ['of two parts', () => 'a.b'],
    ['of no parts', () => ''],
  ])('%s is refused', async (_, forge) => {
    const { issuer, verify } = await issuerFixture();
    await expect(verify(forge(await issuer.sign()))).rejects.toMatchObject(WRONG);
  });
});

function header(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function swapped(token: string, values: object): string {
  return [header(values), ...token.split('.').slice(1)].join('.');
}

describe('new keys', () => {
  it('are fetched for the first token of theirs', async () => {
    const { issuer, verify } = await issuerFixture();
    await verify(await issuer.sign());
    await issuer.rotate();
    await verify(await issuer.sign());
    expect(issuer.hits).toHaveLength(4);
  });

  it('make the tokens of removed ones worthless', async () => {
    const { clock, issuer, verify } = await issuerFixture();
    const old = await issuer.sign();
    await verify(old);
    await issuer.rotate();
    await verify(await issuer.sign());
    clock.advance(60_000);
    await expect(verify(old)).rejects.toMatchObject(WRONG);
  });

  it('are not asked for by a flood of forged key names: a thousand of them make two requests a minute', async () => {
    const { clock, issuer, verify } = await issuerFixture();
    await verify(await issuer.sign());
    const forged = await issuer.sign({}, { kid: 'forged' });
    const flood = async (): Promise<void> => {
      const verdicts = await Promise.allSettled(Array.from({ length: 1000 }, () => verify(forged)));
      expect(verdicts.every(({ status }) => status === 'rejected')).toBe(true);
    };
    await flood();
    expect(issuer.hits).toHaveLength(4);
    clock.advance(59_999);
    await flood();
    expect(issuer.hits).toHaveLength(4);
    clock.advance(1);
    await flood();
    expect(issuer.hits).toHaveLength(6);
  });
});

describe('an issuer that is down', () => {
  it('verifies by the keys that are known, and cannot judge unknown ones', async () => {
    const { clock, issuer, told, verify } = await issuerFixture();
    await verify(await issuer.sign());
    issuer.answer(DISCOVERY_PATH, status(503));
    clock.advance(HOUR);
    await verify(await issuer.sign());
    await expect(verify(await issuer.sign({}, { kid: 'unknown' }))).rejects.toMatchObject(UNAVAILABLE);
    expect(told).toMatchObject([{ kind: 'issuer-changed', issuer: 'test', state: 'failing' }]);
    issuer.answer(DISCOVERY_PATH, undefined);
    clock.advance(30_000);
    await expect(verify(await issuer.sign({}, { kid: 'unknown' }))).rejects.toMatchObject(WRONG);
    expect(told).toMatchObject([{ state: 'failing' }, { issuer: 'test', state: 'ok' }]);
  });

  const host = /^127\.0\.0\.1:\d+/;
  it.each([
    ['refuses', DISCOVERY_PATH, status(403), /answered 403$/],
    ['has no discovery document', DISCOVERY_PATH, status(404), /answered 404$/],
    ['shows a page for it', DISCOVERY_PATH, page(), 'its discovery document is no JSON'],
    ['shows a page for its keys', KEYS_PATH, page(), 'its key set is no JSON'],
    ['is another one by its discovery document', DISCOVERY_PATH, json({ issuer: 'x' }), 'is of "x"'],
    ['leads elsewhere', KEYS_PATH, redirect('/other'), /answered 307$/],
    ['sends no key', KEYS_PATH, json({ keys: [] }), 'no key that verifies'],
    ['sends more than 1 MiB', KEYS_PATH, json({ keys: 'a'.repeat(1024 * 1024) }), 'more than 1048576 bytes'],
    ['resets the connection', KEYS_PATH, resetBeforeHeaders()(json({})), /: connection lost/],
    ['breaks off', KEYS_PATH, cutAfter(1)(json({})), host],
  ])('and %s is told as such', async (_, path, reply, message) => {
    const { issuer, told, verify } = await issuerFixture();
    issuer.answer(path, reply);
    await expect(verify(await issuer.sign())).rejects.toMatchObject({
      ...UNAVAILABLE,
      ...because(message),
      retryAfterMs: 30_000,
    });
    expect(told).toHaveLength(1);
    expect(issuer.hits.filter((hit) => hit.path === '/other')).toEqual([]);
  });

  it.each([
    ['sends nothing', neverRespond()(json({}))],
    ['stops in the middle', stallAfter(1)(json({}))],
  ])('and %s is waited for 10 seconds', async (_, reply) => {
    const { clock, issuer, verify } = await issuerFixture();
    issuer.answer(KEYS_PATH, reply);
    const verified = verify(await issuer.sign());
    await expect.poll(() => issuer.hits.length).toBe(2);
    clock.advance(9_999);
    expect(issuer.hits.map(({ closed }) => closed)).toEqual([true, false]);
    clock.advance(1);
    await expect(verified).rejects.toMatchObject({ ...UNAVAILABLE, ...because('within 10 seconds') });
    await expect.poll(() => issuer.hits.every(({ closed }) => closed)).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

function page() {
  return status(200, {
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>Log in</title>',
  });
}

describe('what is configured', () => {
  it('may be the place of the keys, instead of discovery', async () => {
    const clock = { now: () => Date.UTC(2026, 0, 1) };
    await using keys = await startScriptedIssuer(clock.now);
    const { issuer, verify } = await issuerFixture({ jwksUrl: new URL(keys.issuer + KEYS_PATH) });
    await verify(await keys.sign({ iss: issuer.issuer }));
    expect(issuer.hits).toHaveLength(0);
    expect(keys.hits.map(({ path }) => path)).toEqual([KEYS_PATH]);
  });

  it('may be a bearer token for the documents, read anew at each fetch', async () => {
    const tokenFile = await temporaryFile('first\n');
    const { clock, issuer, verify } = await issuerFixture({ tokenFile });
    await verify(await issuer.sign());
    await writeFile(tokenFile, 'second');
    clock.advance(HOUR);
    await verify(await issuer.sign());
    const sent = issuer.hits.map(({ headers }) => headers.authorization);
    expect(sent).toEqual(['Bearer first', 'Bearer first', 'Bearer second', 'Bearer second']);
  });

  it.each([
    ['empty', ' \n', 'is empty'],
    ['too long', 'a'.repeat(64 * 1024 + 1), 'is longer than 65536 bytes'],
  ])('may be a bearer token that is %s, which is told', async (_, content, message) => {
    const tokenFile = await temporaryFile(content);
    const { issuer, verify } = await issuerFixture({ tokenFile });
    await expect(verify(await issuer.sign())).rejects.toMatchObject({ ...UNAVAILABLE, ...because(message) });
    expect(issuer.hits).toHaveLength(0);
  });

  it('may be the authority of its certificate, without which it is not believed', async () => {
    const authority = createCertificateAuthority();
    const tls = authority.issue(['localhost']);
    const ca = await temporaryFile(authority.certificate);
    const trusting = await issuerFixture({ ca }, { tls });
    await trusting.verify(await trusting.issuer.sign());
    const other = await issuerFixture({}, { tls });
    await expect(other.verify(await other.issuer.sign())).rejects.toMatchObject({
      ...UNAVAILABLE,
      ...because('no trusted TLS connection'),
    });
    expect(other.issuer.hits).toHaveLength(0);
  });
});

test("the environment's proxy is on the way to an issuer, with its account", async () => {
  await using proxy = await startForwardProxy({ password: 'secret' });
  const authority = createCertificateAuthority();
  const ca = await temporaryFile(authority.certificate);
  const clock = new ManualClock();
  await using issuer = await startScriptedIssuer(() => clock.now(), {
    tls: authority.issue(['issuer.test']),
  });
  const https: ProxyConfig = {
    url: proxy.url,
    credentials: { kind: 'password', username: 'larder', password: 'secret' },
  };
  // This name leads nowhere: only the proxy knows it, as one of this machine.
  const named = issuer.issuer.replace('localhost', 'issuer.test');
  const jwksUrl = new URL(named + KEYS_PATH);
  const { verifier } = verifierOf(
    issuer.issuer,
    { ca, jwksUrl },
    { clock, proxies: { http: undefined, https, noProxy: [] } },
  );
  await verifier.verify(await issuer.sign(), 'client');
  expect(proxy.log).toEqual([
    `CONNECT ${jwksUrl.host} Basic ${Buffer.from('larder:secret').toString('base64')}`,
  ]);
});
