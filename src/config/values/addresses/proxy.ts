import { formatUrl } from './http-url.ts';
import { textLeaf, type Leaf } from '../leaf.ts';
import { ValueError } from '../value-error.ts';

/** An HTTP proxy. */
export interface ProxyConfig {
  /** Scheme, host and port. */
  readonly url: URL;
  /** The account at the proxy. A path is absolute. */
  readonly credentials?: ProxyCredentials | undefined;
}

export type ProxyCredentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'password-file'; readonly username: string; readonly path: string };

const EXPECTED = 'a proxy such as http://proxy.example:3128, without a path';
const ESCAPED =
  'a proxy whose user and password are percent-encoded, as in http://me:p%40ss@proxy.example:3128';

/**
 * Reads an HTTP proxy, and the account at it if the URL names one.
 * @throws ValueError
 */
export function parseProxy(text: string): ProxyConfig {
  const isUrl = /^https?:\/\/[^\s/\\?#]+\/?$/i.test(text);
  const url = isUrl ? URL.parse(text) : null;
  // A slash or a hash in a password would end the host, and must be escaped.
  if (url === null) throw new ValueError(/^https?:.*@/is.test(text) ? ESCAPED : EXPECTED);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { url };
  return { url, credentials: { kind: 'password', username: decoded(username), password: decoded(password) } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError(ESCAPED);
  }
}

/** An HTTP proxy, or none. Its account is not written here, but in `proxyCredentials` beside it. */
export function proxyOrNone(): Leaf<ProxyConfig | 'none'> {
  return textLeaf({
    title: 'URL or `none`',
    expected: 'a proxy such as http://proxy.example:3128, or none',
    parse: (text) => (text === 'none' ? text : parseProxy(text)),
    format: (proxy) => (proxy === 'none' ? proxy : formatUrl(proxy.url)),
  });
}
