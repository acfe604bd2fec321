import type { IncomingMessage } from 'node:http';

const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** A name that no host can have (RFC 6761 §6.4). */
const NO_HOST = 'host.invalid';

/**
 * Gives every request the usual form: a target that begins with `/`, and a Host header. A server must also accept the
 * absolute form, whose host takes precedence (RFC 9112 §3.2.2), and HTTP/1.0 has no Host.
 */
export function toOriginForm(incoming: IncomingMessage): void {
  const { url = '', headers } = incoming;
  if (!url.startsWith('/')) {
    const [prefix, authority] = ABSOLUTE.exec(url) ?? [];
    if (prefix !== undefined) {
      const rest = url.slice(prefix.length);
      incoming.url = rest.startsWith('/') ? rest : `/${rest}`;
      headers.host = authority;
    }
  }
  headers.host ??= NO_HOST;
}
