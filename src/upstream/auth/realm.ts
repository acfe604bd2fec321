import { getDomain } from 'tldts';
import { literalScope } from '../connections/address.ts';

/**
 * What Larder may send to a token endpoint that a registry names:
 * `credentials`: the account; `anonymous`: a request without it; `refused`: nothing.
 */
export type RealmTrust = 'credentials' | 'anonymous' | 'refused';

/**
 * Decides what the endpoint `realm`, named in a challenge of `registry`, may get (CVE-2020-15157,
 * CVE-2026-33540, CVE-2026-48978). Credentials go to the registry's own host and port, by https to its registrable
 * domain, and to `trusted` hosts (`host:port`, or `host` for the default port). An https registry may not name an http
 * realm. Whether an address may be dialled at all is decided at connect time, when the address is known.
 */
export function realmTrust(registry: URL, realm: URL, trusted: readonly string[]): RealmTrust {
  const isSecure = realm.protocol === 'https:';
  if (!isSecure && (realm.protocol !== 'http:' || registry.protocol === 'https:')) return 'refused';
  if (realm.host === registry.host && realm.protocol === registry.protocol) return 'credentials';
  if (isTrusted(realm, trusted)) return 'credentials';
  return isSecure && isSameDomain(registry.hostname, realm.hostname) ? 'credentials' : 'anonymous';
}

function isTrusted(realm: URL, trusted: readonly string[]): boolean {
  return trusted.some((host) => {
    const bare = host.toLowerCase();
    return bare === realm.host || bare === `${realm.hostname}:${realm.port || defaultPort(realm)}`;
  });
}

function defaultPort(url: URL): string {
  return url.protocol === 'https:' ? '443' : '80';
}

/**
 * Whether both hosts have the same registrable domain. Private suffixes count (`a.github.io` and `b.github.io` belong
 * to two owners); addresses and localhost names have no domain.
 */
function isSameDomain(one: string, other: string): boolean {
  if (literalScope(one) !== undefined || literalScope(other) !== undefined) return false;
  const domain = getDomain(one, { allowPrivateDomains: true });
  return domain !== null && domain === getDomain(other, { allowPrivateDomains: true });
}

/** Parses the realm of a challenge; returns undefined if it is no http(s) URL. User information in it is dropped. */
export function parseRealm(text: string | undefined): URL | undefined {
  const url = URL.parse(text ?? '');
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}
