import type { IncomingHttpHeaders } from 'node:http';
import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';

/**
 * Returns why a browser may have sent the request for a page of another site, which must not change anything here with
 * its user's credentials or from its user's network; undefined if that is impossible. Other programs send none of these
 * headers.
 * - `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/): browsers alone write it, and pages cannot. `none` is a
 *   request that the user has typed.
 * - `Origin` (RFC 6454): its host and port must be those of the request.
 */
export function crossSiteReason(headers: IncomingHttpHeaders): string | undefined {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return 'a page of another site has sent the request';
  const { origin, host } = headers;
  if (origin === undefined || hostOf(origin) === host?.toLowerCase()) return undefined;
  return 'the request comes from a page of another origin';
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
}

/**
 * Whether a Host header names this machine itself: `localhost` or a loopback address, with any port. A browser that was
 * led here by a name of another site, which now resolves to this machine (DNS rebinding), sends that name.
 */
export function namesThisMachine(host: string | undefined): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:]*)(?::\d{1,5})?$/.exec(host?.toLowerCase() ?? '')?.[1] ?? '';
  const address = name.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0) return ipaddr.process(address).range() === 'loopback';
  return name === 'localhost' || name.endsWith('.localhost');
}
