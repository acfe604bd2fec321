import { quoted } from '../../text/quoted.ts';
import { IssuerError } from './issuer-error.ts';
import { readJson } from './read-json.ts';

/** Returns where an issuer's discovery document is (OpenID Connect Discovery 1.0 §4). */
export function discoveryUrl(issuer: string): URL {
  return new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
}

/**
 * Reads from a discovery document where the issuer's keys are. The document must be of this very issuer: else one
 * issuer of a host could hand out the keys for the tokens of another (OpenID Connect Discovery 1.0 §4.3).
 * @throws IssuerError
 */
export function readJwksUrl(bytes: Uint8Array, issuer: string): URL {
  const { issuer: named, jwks_uri: location } = readJson(bytes, 'its discovery document');
  if (named !== issuer) {
    const other = typeof named === 'string' ? quoted(named) : 'no issuer';
    throw new IssuerError(`its discovery document is of ${other}`);
  }
  const url = typeof location === 'string' ? URL.parse(location) : null;
  if (url !== null && isTrustworthy(url, new URL(issuer))) return url;
  throw new IssuerError('its discovery document has no jwks_uri with https');
}

/** Keys come by https. A test's issuer on this machine may do without, and only it may lead to this machine by http. */
function isTrustworthy(url: URL, issuer: URL): boolean {
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && isLoopback(url) && issuer.protocol === 'http:';
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
