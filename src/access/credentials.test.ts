import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_AUTHORIZATION, readCredentials } from './credentials.ts';

function basic(text: string | Uint8Array, scheme = 'Basic'): string {
  return `${scheme} ${Buffer.from(text).toString('base64')}`;
}

function jwt(header: unknown, payload: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(payload)}.c2lnbmF0dXJl`;
}

const SECRET = 'A'.repeat(43);
const STATIC = `larder_0123456789ab_${SECRET}`;
const TOKEN = { kind: 'token', token: { id: '0123456789ab', secret: SECRET } };
const JWT = jwt({ alg: 'RS256' }, { iss: 'https://issuer.test' });
const OF_ISSUER = { kind: 'jwt', token: JWT, issuer: 'https://issuer.test' };

describe('a header Authorization', () => {
  it.each<[string, string, object]>([
    ['a password', basic('alice:secret'), { kind: 'password', user: 'alice', password: 'secret' }],
    ['a colon in it', basic('alice:a:b'), { kind: 'password', user: 'alice', password: 'a:b' }],
    ['UTF-8', basic('zoë:пароль'), { kind: 'password', user: 'zoë', password: 'пароль' }],
    ['a scheme in lower case', basic('a:b', 'basic'), { kind: 'password', user: 'a', password: 'b' }],
    ['no user', basic(':secret'), { kind: 'password', user: '', password: 'secret' }],
    ['no password', basic('alice:'), { kind: 'password', user: 'alice', password: '' }],
    ['empty credentials', 'Basic Og==', { kind: 'none' }],
    ['a static token', `Bearer ${STATIC}`, TOKEN],
    ['one as a password', basic(`anything:${STATIC}`), TOKEN],
    ['one as a password, without a user', basic(`:${STATIC}`), TOKEN],
    ['a JSON Web Token', `bearer ${JWT}`, OF_ISSUER],
    ['one as a password', basic(`x:${JWT}`), OF_ISSUER],
    ['one without issuer', `Bearer ${jwt({ alg: 'a' }, {})}`, { kind: 'jwt', issuer: undefined }],
    [
      'one of an issuer that is no text',
      `Bearer ${jwt({ alg: 'a' }, { iss: 1 })}`,
      { kind: 'jwt', issuer: undefined },
    ],
    ['a password like a JSON Web Token', basic('a:correct.horse.battery'), { kind: 'password' }],
    ['a password like a static token', basic('a:larder_x_y'), { kind: 'password', password: 'larder_x_y' }],
  ])('with %s', (_, authorization, expected) => {
    expect(readCredentials(authorization)).toMatchObject(expected);
  });

  it.each([
    ['empty', ''],
    ['a scheme alone', 'Basic'],
    ['another scheme', 'Digest username="alice"'],
    ['one that Larder does not know', 'Negotiate abc'],
    ['no base64', 'Basic alice:secret'],
    ['base64 without a colon', basic('alice')],
    ['no UTF-8', basic(Uint8Array.of(0x61, 0x3a, 0xff))],
    ['two values', 'Bearer a b'],
    ['an unknown token', 'Bearer abc'],
    ['a user and password as a token', `Bearer ${basic('a:b').slice(6)}`],
    ['a JSON Web Token without signature', `Bearer ${JWT.slice(0, JWT.lastIndexOf('.') + 1)}`],
    ['too long', `Bearer ${'a'.repeat(MAX_AUTHORIZATION)}`],
  ])('that is %s cannot be used', (_, authorization) => {
    const credentials = readCredentials(authorization);
    expect(credentials).toMatchObject({ kind: 'unusable' });
    // The reason goes to the log.
    expect(JSON.stringify(credentials)).not.toContain('secret');
  });

  it('gives back any user and password', () => {
    const anyText = fc.string({ unit: 'grapheme', minLength: 1 });
    const anyUser = anyText.filter((user) => !user.includes(':'));
    fc.assert(
      fc.property(anyUser, anyText, (user, password) => {
        expect(readCredentials(basic(`${user}:${password}`))).toEqual({ kind: 'password', user, password });
      }),
    );
  });

  it('never makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', 'Basic ', 'Bearer '), (text, scheme) => {
        expect(readCredentials(scheme + text).kind).toBeTypeOf('string');
        expect(readCredentials(basic(text)).kind).toBeTypeOf('string');
      }),
    );
  });
});
