import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inlineChecks } from '../../../test/support/inline-checks.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents } from '../../events.ts';
import { formatPrincipal, type Principal } from '../principal.ts';
import { BearerTokens, TOKEN_MS } from './bearer-tokens.ts';
import type { GrantedIdentity } from './claims.ts';
import type { SigningKey } from './key-file.ts';
import { SigningKeys } from './signing-keys.ts';

const ALICE: Principal = { kind: 'user', name: 'alice' };
const PULL: GrantedIdentity = {
  principal: ALICE,
  grant: new Map([['docker.io/library/debian', new Set(['pull', 'tags'] as const)]]),
};
/** What proved Alice. */
const LOGIN = { proof: 'password' };
const WRONG = { name: 'AccessError', failure: 'wrong-credentials' };

let folder: string;
let clock: ManualClock;
let keys: SigningKeys;
let tokens: BearerTokens;
let gone: Set<string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  clock = new ManualClock();
  gone = new Set();
  keys = await SigningKeys.open({
    path: join(folder, 'keys.json'),
    clock,
    events: createEvents(),
    newId: () => 'one',
    tokenMs: TOKEN_MS,
  });
  tokens = tokensBy(keys);
});

afterEach(() => rm(folder, { recursive: true }));

function tokensBy(signing: SigningKeys): BearerTokens {
  let ids = 0;
  return new BearerTokens({
    keys: signing,
    checks: inlineChecks,
    clock,
    newId: () => `token-${(ids += 1)}`,
    isKnown: (principal, proof) => !gone.has(formatPrincipal(principal)) && !gone.has(proof ?? ''),
  });
}

/** Issues a token and changes it: every claim and header is right but for the changes. */
async function forged(
  changes: { readonly claims?: JWTPayload; readonly header?: Record<string, unknown> },
  key?: SigningKey['key'],
): Promise<string> {
  const { token } = await tokens.issue(PULL, LOGIN);
  const signing = await keys.signing();
  const header = { ...decodeProtectedHeader(token), alg: 'ES256', ...changes.header };
  return new SignJWT({ ...decodeJwt(token), ...changes.claims })
    .setProtectedHeader(header)
    .sign(key ?? signing.key);
}

describe('a token', () => {
  it('is verified as what it was issued for', async () => {
    const { token, issuedAt, expiresAt } = await tokens.issue(PULL, LOGIN);
    expect([issuedAt, expiresAt]).toEqual([clock.now(), clock.now() + TOKEN_MS]);
    expect(await tokens.verify(token, 'a')).toEqual({ identity: PULL, ...LOGIN, expiresAt });
  });

  it('has the claims and the header of its kind', async () => {
    const { token } = await tokens.issue(PULL, LOGIN);
    const seconds = clock.now() / 1000;
    expect(decodeProtectedHeader(token)).toEqual({
      alg: 'ES256',
      typ: 'larder+jwt',
      kid: (await keys.signing()).kid,
    });
    expect(decodeJwt(token)).toMatchObject({
      iss: 'larder:one',
      aud: 'larder',
      sub: 'user:alice',
      jti: 'token-1',
      iat: seconds,
      nbf: seconds,
      exp: seconds + 300,
    });
  });

  it('ends by its time', async () => {
    const { token } = await tokens.issue(PULL, LOGIN);
    clock.advance(TOKEN_MS - 1);
    await expect(tokens.verify(token, 'a')).resolves.toBeDefined();
    clock.advance(1);
    await expect(tokens.verify(token, 'a')).rejects.toMatchObject(WRONG);
  });

  it('does not outlive the credentials for which it was issued', async () => {
    const { expiresAt } = await tokens.issue(PULL, { ...LOGIN, expiresAt: clock.now() + 90_999 });
    expect(expiresAt).toBe(clock.now() + 90_000);
    const longer = await tokens.issue(PULL, { ...LOGIN, expiresAt: clock.now() + 2 * TOKEN_MS });
    expect(longer.expiresAt).toBe(clock.now() + TOKEN_MS);
    await expect(tokens.issue(PULL, { ...LOGIN, expiresAt: clock.now() + 999 })).rejects.toMatchObject(WRONG);
  });

  it('ends with its user', async () => {
    const { token } = await tokens.issue(PULL, LOGIN);
    gone.add('user:alice');
    await expect(tokens.verify(token, 'a')).rejects.toMatchObject(WRONG);
    gone.clear();
    await expect(tokens.verify(token, 'a')).resolves.toBeDefined();
  });

  it('ends with the password or the static token that it was issued for', async () => {
    const { token } = await tokens.issue(PULL, LOGIN);
    gone.add(LOGIN.proof);
    await expect(tokens.verify(token, 'a')).rejects.toMatchObject(WRONG);
  });

  it('outlives the change to a new key', async () => {
    await tokens.issue(PULL, LOGIN);
    clock.advance(30 * 24 * 60 * 60_000 - 1000);
    const { token } = await tokens.issue(PULL, LOGIN);
    clock.advance(1000);
    const next = await tokens.issue(PULL, LOGIN);
    expect(decodeProtectedHeader(next.token).kid).not.toBe(decodeProtectedHeader(token).kid);
    for (const each of [token, next.token]) {
      await expect(tokens.verify(each, 'a')).resolves.toMatchObject({ identity: PULL });
    }
  });

  it('of another cache directory proves nothing', async () => {
    const other = await SigningKeys.open({
      path: join(folder, 'other.json'),
      clock,
      events: createEvents(),
      newId: () => 'one',
      tokenMs: TOKEN_MS,
    });
    const { token } = await tokensBy(other).issue(PULL, LOGIN);
    await tokens.issue(PULL, LOGIN);
    await expect(tokens.verify(token, 'a')).rejects.toMatchObject(WRONG);
  });
});

describe('a forged token proves nothing', () => {
  it('but this test can forge one that is right', async () => {
    await expect(tokens.verify(await forged({}), 'a')).resolves.toMatchObject({ identity: PULL });
  });

  it.each<[string, Parameters<typeof forged>[0]]>([
    ['for another audience', { claims: { aud: 'other' } }],
    ['of another issuer', { claims: { iss: 'larder:two' } }],
    ['without an end', { claims: { exp: undefined as never } }],
    ['that is not valid yet', { claims: { nbf: Date.UTC(2030, 0, 1) / 1000 } }],
    ['of another kind', { header: { typ: 'JWT' } }],
    ['of no kind', { header: { typ: undefined } }],
    ['by a key that is not known', { header: { kid: 'other' } }],
    ['with claims that Larder does not write', { claims: { principal: 'user:alice' } }],
  ])('%s', async (_, changes) => {
    await expect(tokens.verify(await forged(changes), 'a')).rejects.toMatchObject(WRONG);
  });

  it('CVE-2025-24976: that brings its own key, under the name of a trusted one', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const { kid } = await keys.signing();
    const header = { kid, jwk: { ...(await exportJWK(publicKey)), kid } };
    await expect(tokens.verify(await forged({ header }, privateKey), 'a')).rejects.toMatchObject(WRONG);
  });

  it('that is signed with the public key as a secret', async () => {
    const { kid } = await keys.signing();
    const [jwk] = keys.verifying.keys;
    const secret = new TextEncoder().encode(JSON.stringify(jwk));
    const token = await new SignJWT(decodeJwt((await tokens.issue(PULL, LOGIN)).token))
      .setProtectedHeader({ alg: 'HS256', typ: 'larder+jwt', kid })
      .sign(secret);
    await expect(tokens.verify(token, 'a')).rejects.toMatchObject(WRONG);
  });

  it('that is not signed', async () => {
    const [, payload] = (await tokens.issue(PULL, LOGIN)).token.split('.');
    const header = Buffer.from('{"alg":"none","typ":"larder+jwt"}').toString('base64url');
    await expect(tokens.verify(`${header}.${payload}.`, 'a')).rejects.toMatchObject(WRONG);
  });

  it('that was changed after it was signed', async () => {
    const { token } = await tokens.issue(PULL, LOGIN);
    const [header, , signature] = token.split('.');
    const claims = { ...decodeJwt(token), principal: { kind: 'user', name: 'root' } };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    await expect(tokens.verify(`${header}.${payload}.${signature}`, 'a')).rejects.toMatchObject(WRONG);
  });
});
