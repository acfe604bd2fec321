/** The query parameters that mean something to Larder. */
const KNOWN = new Set(['ns', 'n', 'last', 'artifactType']);

/**
 * Returns a request's target as it may be logged. Anything else that a client writes into a query or in front of a host
 * may be a secret, and no reader of the log needs it.
 */
export function loggedUrl(url: string): string {
  // The absolute form (RFC 9112 section 3.2.2) may name an account.
  const target = url.startsWith('/') ? url : url.replace(/^([a-z]+:\/\/)[^/?]*@/i, '$1');
  const mark = target.indexOf('?');
  if (mark === -1) return target;
  const path = target.slice(0, mark);
  const kept = target
    .slice(mark + 1)
    .split('&')
    .filter((parameter) => KNOWN.has(parameter.split('=', 1)[0] ?? ''));
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}
