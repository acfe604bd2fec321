import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { peerNaming } from './peer.ts';
import { PublicUrl } from './public-url.ts';
import { TrustedProxies } from './trusted-proxies.ts';

const PROXIES = new TrustedProxies(['192.0.2.0/24']);
const PROXY = '192.0.2.1';
const CLIENT = '203.0.113.9';

function request(
  headers: IncomingHttpHeaders,
  { peer = CLIENT, encrypted = false } = {},
): Pick<IncomingMessage, 'headers'> & { readonly socket: { readonly remoteAddress: string } } {
  return { headers, socket: { remoteAddress: peer, ...(encrypted && { encrypted }) } };
}

function realm(
  incoming: ReturnType<typeof request>,
  { configured, registry }: { configured?: string; registry?: string } = {},
): string | undefined {
  return new PublicUrl(configured, PROXIES).tokenRealm(incoming as IncomingMessage, registry);
}

describe('tokenRealm', () => {
  it.each<[string, IncomingHttpHeaders, Parameters<typeof request>[1], string | undefined]>([
    ['the Host', { host: 'mirror:5000' }, {}, 'http://mirror:5000/token'],
    ['IPv6', { host: '[::1]:5000' }, {}, 'http://[::1]:5000/token'],
    ['TLS', { host: 'mirror' }, { encrypted: true }, 'https://mirror/token'],
    [
      'X-Forwarded-Proto of a proxy',
      { host: 'mirror', 'x-forwarded-proto': 'https' },
      { peer: PROXY },
      'https://mirror/token',
    ],
    [
      'the outermost of several proxies',
      { host: 'mirror', 'x-forwarded-proto': 'HTTPS, http' },
      { peer: PROXY },
      'https://mirror/token',
    ],
    [
      'Forwarded of a proxy',
      { host: 'mirror', forwarded: 'for=203.0.113.9;proto=https' },
      { peer: PROXY },
      'https://mirror/token',
    ],
    [
      'X-Forwarded-Proto beside a Forwarded that does not say it',
      { host: 'mirror', forwarded: 'for=203.0.113.9', 'x-forwarded-proto': 'https' },
      { peer: PROXY },
      'https://mirror/token',
    ],
    [
      'X-Forwarded-Proto of a client',
      { host: 'mirror', 'x-forwarded-proto': 'https', forwarded: 'proto=https' },
      {},
      'http://mirror/token',
    ],
    [
      'a scheme that is none',
      { host: 'mirror', 'x-forwarded-proto': 'javascript' },
      { peer: PROXY },
      undefined,
    ],
    [
      'a proxy that tells no scheme',
      { host: 'mirror', 'x-forwarded-for': CLIENT },
      { peer: PROXY },
      undefined,
    ],
    [
      'a proxy that tells no scheme in Forwarded',
      { host: 'mirror', forwarded: 'for=x' },
      { peer: PROXY },
      undefined,
    ],
    [
      'a proxy that tells no scheme, by TLS',
      { host: 'mirror' },
      { peer: PROXY, encrypted: true },
      'https://mirror/token',
    ],
    [
      'a proxy whose clients come plainly',
      { host: 'mirror', 'x-forwarded-proto': 'http' },
      { peer: PROXY },
      'http://mirror/token',
    ],
    [
      'a proxy that speaks plainly to a TLS listener',
      { host: 'mirror', 'x-forwarded-proto': 'http' },
      { peer: PROXY, encrypted: true },
      'http://mirror/token',
    ],
    ['a Host that is none', { host: 'evil/x?' }, {}, undefined],
    ['a Host with an account', { host: 'user@evil' }, {}, undefined],
    ['no Host', {}, {}, undefined],
    ['the Host in place of none', { host: 'host.invalid' }, {}, undefined],
  ])('by %s', (_, headers, connection, expected) => {
    expect(realm(request(headers, connection))).toBe(expected);
  });

  it('prefers what the operator says', () => {
    const incoming = request({ host: 'evil/x?' });
    expect(realm(incoming, { configured: 'https://mirror.example' })).toBe('https://mirror.example/token');
    expect(realm(incoming, { configured: 'https://example.com/larder/' })).toBe(
      'https://example.com/larder/token',
    );
    const proxied = request({ host: 'mirror' }, { peer: PROXY });
    expect(realm(proxied, { configured: 'https://mirror.example' })).toBe('https://mirror.example/token');
  });

  it('names the registry', () => {
    const incoming = request({ host: 'mirror' });
    expect(realm(incoming, { registry: 'ghcr.io' })).toBe('http://mirror/token?ns=ghcr.io');
    expect(realm(incoming, { registry: 'registry:5000' })).toBe('http://mirror/token?ns=registry%3A5000');
  });

  it('is told by a proxy on the Unix socket', () => {
    const incoming = { headers: { host: 'mirror', 'x-forwarded-proto': 'https' }, socket: {} };
    const by = (proxies: readonly string[]): string | undefined => {
      const url = new PublicUrl(undefined, new TrustedProxies(proxies), peerNaming(true));
      return url.tokenRealm(incoming as unknown as IncomingMessage, undefined);
    };
    expect([by(['unix']), by([])]).toEqual(['https://mirror/token', 'http://mirror/token']);
  });
});
