import { describe, expect, test } from 'vitest';
import { parseRealm, realmTrust } from './realm.ts';

describe('realmTrust', () => {
  test.each([
    // The registry's own host and port.
    ['https://ghcr.io', 'https://ghcr.io/token', 'credentials'],
    ['https://r.example:5443', 'https://r.example:5443/token', 'credentials'],
    ['http://r.example:5000', 'http://r.example:5000/token', 'credentials'],
    ['https://10.0.0.5', 'https://10.0.0.5/token', 'credentials'],
    ['http://localhost:5000', 'http://localhost:5000/token', 'credentials'],
    // The same registrable domain, by https.
    ['https://registry-1.docker.io', 'https://auth.docker.io/token', 'credentials'],
    ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', 'credentials'],
    ['https://docker.elastic.co', 'https://docker-auth.elastic.co/auth', 'credentials'],
    ['https://registry.example', 'https://registry.example:8443/token', 'credentials'],
    ['http://registry.corp.example', 'https://auth.corp.example/token', 'credentials'],
    ['https://a.github.io', 'https://a.github.io:8443/token', 'credentials'],
    // Anything else gets no credentials.
    ['https://nvcr.io', 'https://authn.nvidia.com/token', 'anonymous'],
    ['https://registry.example', 'https://evil.example.net/token', 'anonymous'],
    ['https://a.github.io', 'https://b.github.io/token', 'anonymous'],
    ['https://registry.co.uk', 'https://evil.co.uk/token', 'anonymous'],
    ['https://10.0.0.5', 'https://10.0.0.6/token', 'anonymous'],
    ['https://10.0.0.5', 'https://10.0.0.5:8443/token', 'anonymous'],
    ['http://10.0.0.5', 'https://10.0.0.5/token', 'anonymous'],
    ['https://registry.example', 'https://127.0.0.1/token', 'anonymous'],
    ['https://localhost:5000', 'https://localhost:5001/token', 'anonymous'],
    ['https://a.localhost', 'https://b.a.localhost/token', 'anonymous'],
    ['https://registry', 'https://registry:444/token', 'anonymous'],
    ['http://registry.example', 'http://auth.registry.example/token', 'anonymous'],
    ['http://r.example:5000', 'http://r.example:5001/token', 'anonymous'],
    // Nothing goes from https to http, or to another protocol.
    ['https://registry.example', 'http://registry.example/token', 'refused'],
    ['https://registry.example', 'http://auth.registry.example/token', 'refused'],
    ['https://registry.example', 'ftp://registry.example/token', 'refused'],
  ])('%s → %s: %s', (registry, realm, trust) => {
    expect(realmTrust(new URL(registry), new URL(realm), [])).toBe(trust);
  });

  test.each([
    ['https://nvcr.io', 'https://authn.nvidia.com/token', ['authn.nvidia.com'], 'credentials'],
    ['https://nvcr.io', 'https://authn.nvidia.com/token', ['AUTHN.nvidia.com:443'], 'credentials'],
    ['https://nvcr.io', 'https://authn.nvidia.com:444/token', ['authn.nvidia.com'], 'anonymous'],
    ['https://nvcr.io', 'https://x.authn.nvidia.com/token', ['authn.nvidia.com'], 'anonymous'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/auth', ['127.0.0.1:5001'], 'credentials'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/auth', ['127.0.0.1'], 'anonymous'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1/auth', ['127.0.0.1'], 'credentials'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1/auth', ['127.0.0.1:443'], 'anonymous'],
    ['http://127.0.0.1:5000', 'https://[::1]/auth', ['[::1]'], 'credentials'],
    ['https://nvcr.io', 'http://authn.nvidia.com/token', ['authn.nvidia.com'], 'refused'],
  ])('%s → %s, trusting %j: %s', (registry, realm, trusted, trust) => {
    expect(realmTrust(new URL(registry), new URL(realm), trusted)).toBe(trust);
  });
});

test('a realm is an http URL without user information', () => {
  expect(parseRealm('https://u:p@a.example/token?x=1#y')?.href).toBe('https://a.example/token?x=1');
  expect(parseRealm('basic')).toBeUndefined();
  expect(parseRealm('file:///etc/passwd')).toBeUndefined();
  expect(parseRealm(undefined)).toBeUndefined();
});
