import { isLoopback } from './listen-address.ts';
import { textLeaf, unchanged, type Leaf } from '../leaf.ts';
import { ValueError } from '../value-error.ts';

const EXPECTED = 'an https:// URL';

/**
 * Reads a URL whose answers are believed: https, or http on this machine itself.
 * @throws ValueError
 */
function parseSecureUrl(text: string): URL {
  // WHATWG URL would silently repair "https:/host" or "https://host\path".
  const url = /^https?:\/\/[^\s/\\?#]+(?:[/?][^\s\\#]*)?$/i.test(text) ? URL.parse(text) : null;
  if (url === null) throw new ValueError(`${EXPECTED} without a fragment`);
  if (url.username !== '' || url.password !== '')
    throw new ValueError(`${EXPECTED} without user and password`);
  if (url.protocol === 'http:' && !isLoopback({ host: url.hostname.replaceAll(/[[\]]/g, ''), port: 0 }))
    throw new ValueError(`${EXPECTED} (http:// only on this machine, such as http://127.0.0.1:8080)`);
  return url;
}

/** A URL that is fetched. */
export function secureUrl(): Leaf<URL> {
  return textLeaf({
    title: '`https:` URL',
    expected: EXPECTED,
    parse: parseSecureUrl,
    format: ({ href }) => href,
  });
}

/**
 * An issuer's identifier. It stays as it is written: a token's `iss` must be equal to it, character by character (OpenID
 * Connect Core 1.0, section 3.1.3.7).
 */
export function issuerUrl(): Leaf<string> {
  const parse = (text: string): string => {
    if (parseSecureUrl(text).search !== '' || text.includes('?'))
      throw new ValueError(`${EXPECTED} without a query`);
    return text;
  };
  return textLeaf({ title: '`https:` URL', expected: EXPECTED, parse, format: unchanged });
}
