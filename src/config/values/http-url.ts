import { textLeaf, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

// WHATWG URL would repair "https:/host" or "https://host\path" in silence.
const ABSOLUTE = /^https?:\/\/[^\s/\\?#]+(?:\/[^\s\\]*)?$/i;

/**
 * An http or https URL without user, query and fragment.
 * @returns a URL whose path does not end in "/", but for the path "/" itself
 * @throws ValueError
 */
export function parseHttpUrl(text: string): URL {
  const url = ABSOLUTE.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new ValueError('a URL such as https://registry.example:5443');
  if (url.username !== '' || url.password !== '') throw new ValueError('a URL without user and password');
  if (/[?#]/.test(text)) throw new ValueError('a URL without query and fragment');
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/**
 * The base of a registry's API: `<base>/v2/…`.
 * @throws ValueError
 */
export function parseRegistryUrl(text: string): URL {
  const url = parseHttpUrl(text);
  if (/\/v[12]$/.test(url.pathname)) throw new ValueError('a URL without /v2 at its end, which is added');
  return url;
}

/** The URL without the "/" that WHATWG puts behind a host. */
export function formatUrl(url: URL): string {
  return url.href.replace(/\/$/, '');
}

/** The base of a registry's API. */
export function registryUrl(): Leaf<URL> {
  const expected = 'a URL such as https://registry.example:5443';
  return textLeaf({ title: 'URL', expected, parse: parseRegistryUrl, format: formatUrl });
}
