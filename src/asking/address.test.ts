import { describe, expect, test } from 'vitest';
import { addressOf, parseMirror, type Connecting } from './address.ts';
import { parseAskedRegistry } from './asked.ts';
import { AskError } from './error.ts';

const hrefOf = (registry: string, connecting?: Connecting): string =>
  addressOf(parseAskedRegistry(registry), connecting).url.href;

describe('a registry', () => {
  test.each([
    ['docker.io', {}, 'https://registry-1.docker.io/'],
    ['ghcr.io', {}, 'https://ghcr.io/'],
    ['registry.example:5000', {}, 'https://registry.example:5000/'],
    ['registry.example', { isInsecure: true }, 'http://registry.example/'],
    ['http://registry.example', {}, 'http://registry.example/'],
    ['localhost:5000', {}, 'http://localhost:5000/'],
    ['127.0.0.1:5000', {}, 'http://127.0.0.1:5000/'],
    ['[::1]:5000', {}, 'http://[::1]:5000/'],
    ['localhost:5000', { hasAuthority: true }, 'https://localhost:5000/'],
    ['localhost:5000', { hasAuthority: true, isInsecure: true }, 'http://localhost:5000/'],
    ['https://localhost:5000', {}, 'https://localhost:5000/'],
    ['10.0.0.1:5000', {}, 'https://10.0.0.1:5000/'],
  ])('%s with %j is at %s', (registry, connecting, href) => {
    expect(hrefOf(registry, connecting)).toBe(href);
  });

  test('is known by the account that Docker keeps for it, and by its token servers', () => {
    expect(addressOf(parseAskedRegistry('index.docker.io'))).toMatchObject({
      name: 'docker.io',
      account: 'docker.io',
    });
    expect(addressOf(parseAskedRegistry('nvcr.io')).trustedRealms).toEqual(['authn.nvidia.com']);
  });
});

describe('through a mirror', () => {
  test.each([
    ['localhost:5001', 'ghcr.io', 'http://localhost:5001/ghcr.io'],
    ['mirror.example', 'docker.io', 'https://mirror.example/docker.io'],
    ['https://mirror.example/larder/', 'localhost:5000', 'https://mirror.example/larder/localhost:5000'],
  ])('%s, %s is at %s', (mirror, registry, href) => {
    expect(hrefOf(registry, { via: parseMirror(mirror) })).toBe(href);
  });

  test("the account is the mirror's, and goes to no token server but its own", () => {
    const address = addressOf(parseAskedRegistry('nvcr.io'), { via: parseMirror('mirror.example:8443') });
    expect(address).toMatchObject({ account: 'mirror.example:8443', trustedRealms: [] });
    expect(address.name).toBe('mirror.example:8443/nvcr.io');
  });

  test.each(['', 'http://', 'a b', 'mirror.example?x=1', 'user@mirror.example'])(
    '%j is no mirror',
    (text) => {
      expect(() => parseMirror(text)).toThrow(AskError);
    },
  );
});
