import type { IncomingMessage } from 'node:http';

/**
 * Returns the header Authorization of a request; undefined: it has none. Two of them become one with a comma (RFC 9110,
 * section 5.2), which no credentials have, so that the request is refused as one with wrong credentials. Node itself
 * keeps the first and drops the others, and a proxy in front of Larder may have judged by another one.
 */
export function authorizationOf({
  headers: { authorization },
  rawHeaders,
}: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): string | undefined {
  if (authorization === undefined) return undefined;
  const values: (string | undefined)[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (isAuthorization(rawHeaders[at])) values.push(rawHeaders[at + 1]);
  }
  return values.length > 1 ? values.join(', ') : authorization;
}

function isAuthorization(name: string | undefined): boolean {
  return name?.length === 13 && name.toLowerCase() === 'authorization';
}
