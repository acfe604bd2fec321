import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { inlineChecks } from '../../../test/support/inline-checks.ts';
import type { ExpectedJwt } from './slow-checks.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const CLAIMS = { iss: 'https://issuer.test', aud: 'larder', sub: 'alice', exp: SECONDS + 60 };

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

let first: Pair;
let second: Pair;
let expected: ExpectedJwt;

beforeAll(async () => {
  [first, second] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  const keys = [
    { ...(await exportJWK(first.publicKey)), kid: 'first' },
    { ...(await exportJWK(second.publicKey)), kid: 'second' },
  ];
  expected = {
    keys: { keys },
    issuer: CLAIMS.iss,
    audience: ['larder', 'other'],
    algorithms: ['ES256'],
    now: NOW,
    leewayMs: 5000,
  };
});

function signed(
  claims: JWTPayload,
  { privateKey } = first,
  kid: string | undefined = 'first',
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...(kid && { kid }) }).sign(privateKey);
}

describe('a token', () => {
  it.each<[string, JWTPayload]>([
    ['as expected', CLAIMS],
    ['for one of several audiences', { ...CLAIMS, aud: ['elsewhere', 'other'] }],
    ['that has expired within the leeway', { ...CLAIMS, exp: SECONDS - 4 }],
    ['that will be valid within the leeway', { ...CLAIMS, nbf: SECONDS + 4 }],
  ])('%s is valid', async (_, claims) => {
    const checked = await inlineChecks.checkJwt(await signed(claims), expected, 'a');
    expect(checked).toEqual({ claims });
  });

  it('must be of the kind that is expected', async () => {
    const sign = (typ: string): Promise<string> =>
      new SignJWT(CLAIMS).setProtectedHeader({ alg: 'ES256', kid: 'first', typ }).sign(first.privateKey);
    const typed = { ...expected, type: 'larder+jwt' };
    expect(await inlineChecks.checkJwt(await sign('larder+jwt'), typed, 'a')).toEqual({ claims: CLAIMS });
    for (const token of [await sign('JWT'), await signed(CLAIMS)]) {
      expect(await inlineChecks.checkJwt(token, typed, 'a')).toMatchObject({ problem: 'invalid' });
    }
  });

  it('without the name of its key may be signed by any of them', async () => {
    for (const pair of [first, second]) {
      const checked = await inlineChecks.checkJwt(await signed(CLAIMS, pair, ''), expected, 'a');
      expect(checked).toEqual({ claims: CLAIMS });
    }
    const stranger = await generateKeyPair('ES256');
    const forged = await inlineChecks.checkJwt(await signed(CLAIMS, stranger, ''), expected, 'a');
    expect(forged).toMatchObject({ problem: 'invalid' });
  });

  it.each<[string, JWTPayload, string]>([
    ['of another issuer', { ...CLAIMS, iss: 'https://other.test' }, 'invalid'],
    ['for another audience', { ...CLAIMS, aud: 'elsewhere' }, 'invalid'],
    ['without audience', { iss: CLAIMS.iss, exp: CLAIMS.exp }, 'invalid'],
    ['without an end', { iss: CLAIMS.iss, aud: CLAIMS.aud }, 'invalid'],
    ['that has expired', { ...CLAIMS, exp: SECONDS - 6 }, 'expired'],
    ['that is not valid yet', { ...CLAIMS, nbf: SECONDS + 6 }, 'invalid'],
  ])('%s is refused', async (_, claims, problem) => {
    const checked = await inlineChecks.checkJwt(await signed(claims), expected, 'a');
    expect(checked).toMatchObject({ problem });
  });

  it('of an unknown key is told apart, since the issuer may have a new one', async () => {
    const checked = await inlineChecks.checkJwt(await signed(CLAIMS, first, 'third'), expected, 'a');
    expect(checked).toMatchObject({ problem: 'unknown-key' });
  });

  it.each<[string, (token: string) => string]>([
    ['signed by another key', (token) => token.slice(0, -4) + (token.endsWith('AAAA') ? 'BBBB' : 'AAAA')],
    ['without signature', (token) => token.slice(0, token.lastIndexOf('.') + 1)],
    ['cut off', (token) => token.slice(0, 20)],
    ['empty', () => ''],
    [
      'that says it needs no signature',
      (token) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1] ?? ''}.`,
    ],
  ])('%s is refused', async (_, change) => {
    const checked = await inlineChecks.checkJwt(change(await signed(CLAIMS)), expected, 'a');
    expect(checked).toMatchObject({ problem: 'invalid' });
  });

  it('of another kind is refused, where a kind is expected', async () => {
    const token = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'ES256', kid: 'first', typ: 'one+jwt' })
      .sign(first.privateKey);
    const check = (type: string) => inlineChecks.checkJwt(token, { ...expected, type }, 'a');
    expect(await check('one+jwt')).toEqual({ claims: CLAIMS });
    expect(await check('other+jwt')).toMatchObject({ problem: 'invalid' });
  });

  it('by an algorithm that is not accepted is refused', async () => {
    const token = await signed(CLAIMS);
    const checked = await inlineChecks.checkJwt(token, { ...expected, algorithms: ['RS256'] }, 'a');
    expect(checked).toMatchObject({ problem: 'invalid' });
  });

  it('is refused if the key is damaged', async () => {
    const keys = { keys: [{ kty: 'EC', crv: 'P-256', kid: 'first', x: 'AA', y: 'AA' }] };
    const checked = await inlineChecks.checkJwt(await signed(CLAIMS), { ...expected, keys }, 'a');
    expect(checked).toEqual({ problem: 'invalid', message: 'a key of the issuer cannot be used' });
  });
});
