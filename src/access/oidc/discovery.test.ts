import { describe, expect, it } from 'vitest';
import { discoveryUrl, readJwksUrl } from './discovery.ts';

const ISSUER = 'https://issuer.example';

describe('the place of the discovery document', () => {
  it.each([
    ['https://issuer.example', 'https://issuer.example/.well-known/openid-configuration'],
    ['https://issuer.example/', 'https://issuer.example/.well-known/openid-configuration'],
    ['https://issuer.example/id/7', 'https://issuer.example/id/7/.well-known/openid-configuration'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/.well-known/openid-configuration'],
  ])('of %s is %s', (issuer, expected) => {
    expect(discoveryUrl(issuer).href).toBe(expected);
  });
});

const read = (document: unknown, issuer: string) =>
  readJwksUrl(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), issuer).href;

describe('the place of the keys', () => {
  it.each([
    [ISSUER, 'https://issuer.example/keys'],
    [ISSUER, 'https://keys.other.example/k?v=1'],
    [ISSUER, 'https://10.0.0.1:6443/openid/v1/jwks'],
    ['http://127.0.0.1:80', 'http://127.0.0.1/keys'],
    ['http://localhost:8080', 'http://localhost:8080/keys'],
    ['http://localhost:8080', 'http://[::1]:8080/keys'],
  ])('of %s may be %s', (issuer, location) => {
    expect(read({ issuer, jwks_uri: location }, issuer)).toBe(location);
  });

  it.each([
    [ISSUER, 'http://issuer.example/keys'],
    [ISSUER, 'http://127.0.0.1/keys'],
    [ISSUER, 'https://user:password@issuer.example/keys'],
    [ISSUER, 'file:///etc/keys'],
    [ISSUER, 'data:application/json,{}'],
    [ISSUER, '/keys'],
    [ISSUER, ''],
    [ISSUER, 7],
    [ISSUER, undefined],
    ['http://localhost:8080', 'http://127.evil.example/keys'],
    ['http://localhost:8080', 'http://10.0.0.1/keys'],
  ])('of %s is not %s', (issuer, location) => {
    expect(() => read({ issuer, jwks_uri: location }, issuer)).toThrow('has no jwks_uri with https');
  });
});

describe('a discovery document', () => {
  it.each([
    ['of another issuer', { issuer: 'https://other.example' }, 'is of "https://other.example"'],
    ['of the same with a slash', { issuer: `${ISSUER}/` }, 'is of "https://issuer.example/"'],
    ['of no issuer', {}, 'is of no issuer'],
    ['that is a page', '<html>', 'is no JSON'],
    ['that is a list', '[]', 'is no JSON object'],
    ['that is empty', '', 'is no JSON'],
  ])('%s is refused', (_, document, message) => {
    const whole = typeof document === 'string' ? document : { jwks_uri: `${ISSUER}/keys`, ...document };
    expect(() => read(whole, ISSUER)).toThrow(message);
  });
});
