import { textLeaf, type Leaf } from '../leaf.ts';
import { ValueError } from '../value-error.ts';

// WHATWG URL would silently repair "https:/host" or "https://host\path".
const ABSOLUTE = /^https?:\/\/[^\s/\\?#]+(?:\/[^\s\\]*)?$/i;

/**
 * Reads an http or https URL without user, query and fragment.
 * @returns a URL whose path ends in "/" only if it is "/"
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
 * Reads the base of a registry's API: `<base>/v2/…`.
 * @throws ValueError
 */
export function parseRegistryUrl(text: string): URL {
  const url = parseHttpUrl(text);
  if (/\/v[12]$/.test(url.pathname)) throw new ValueError('a URL without /v2 at its end, which is added');
  return url;
}

/** Formats a URL without the "/" that WHATWG appends to a host. */
export function formatUrl(url: URL): string {
  return url.href.replace(/\/$/, '');
}

/** The base of a registry's API. */
export function registryUrl(): Leaf<URL> {
  const expected = 'a URL such as https://registry.example:5443';
  return textLeaf({ title: 'URL', expected, parse: parseRegistryUrl, format: formatUrl });
}

/**
 * Reads the address by which clients reach Larder. It has no path, since clients ask for `/v2/` at the root of a host.
 * @throws ValueError
 */
function parsePublicUrl(text: string): URL {
  const url = parseHttpUrl(text);
  if (url.pathname !== '/') throw new ValueError('a URL without a path');
  return url;
}

/** The address by which clients reach Larder. */
export function publicUrl(): Leaf<URL> {
  const expected = 'a URL such as https://mirror.example';
  return textLeaf({ title: 'URL without a path', expected, parse: parsePublicUrl, format: formatUrl });
}
