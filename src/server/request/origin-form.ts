import type { IncomingMessage } from 'node:http';

const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** No name can be it (RFC 6761 §6.4). */
const NO_HOST = 'host.invalid';

/**
 * Gives every request the form in which nearly all come, a target that begins with `/` and a host: a server has to take
 * the absolute form as well, whose host is the one that counts (RFC 9112 §3.2.2), and HTTP/1.0 has no Host.
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
