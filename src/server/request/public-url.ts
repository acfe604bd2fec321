import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { forwardedProto } from '../../http/forwarded.ts';
import { isHost } from '../../http/host.ts';
import { peerNaming, type PeerOf } from './peer.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** The path of the token endpoint. */
export const TOKEN_PATH = '/token';

/** The URL by which clients reach Larder. */
export class PublicUrl {
  readonly #configured: string | undefined;
  readonly #proxies: Pick<TrustedProxies, 'isTrusted'>;
  readonly #peerOf: PeerOf;

  /** @param configured the URL that the operator gives; undefined: each request tells it */
  constructor(
    configured: string | undefined,
    proxies: Pick<TrustedProxies, 'isTrusted'>,
    peerOf: PeerOf = peerNaming(false),
  ) {
    this.#configured = configured?.replace(/\/+$/, '');
    this.#proxies = proxies;
    this.#peerOf = peerOf;
  }

  /**
   * Returns the address of the token endpoint, for a challenge.
   * @param registry the one that `ns`, a prefix or Host of the request has chosen: the token endpoint then reads the
   *   names of scopes as the request's own was read
   * @returns undefined if the request does not tell a URL by which clients reach Larder: it has no usable Host, or comes
   *   from a trusted proxy that does not say by which scheme the client came
   */
  tokenRealm(incoming: IncomingMessage, registry: string | undefined): string | undefined {
    const base = this.#baseOf(incoming);
    if (base === undefined) return undefined;
    const query = registry === undefined ? '' : `?${new URLSearchParams({ ns: registry }).toString()}`;
    return `${base}${TOKEN_PATH}${query}`;
  }

  #baseOf(incoming: IncomingMessage): string | undefined {
    if (this.#configured !== undefined) return this.#configured;
    const { host } = incoming.headers;
    if (host === undefined || !isHost(host) || isInvalid(host)) return undefined;
    const scheme = this.#schemeOf(incoming);
    return scheme && `${scheme}://${host}`;
  }

  /**
   * Any client can write the headers, so those of a trusted proxy alone count. Such a proxy may speak https to its
   * clients and plain http to Larder: if it does not say so, the scheme is not known, and a guess of `http` could make
   * clients send their passwords in the clear.
   */
  #schemeOf({ headers, socket }: IncomingMessage): 'http' | 'https' | undefined {
    const isProxied = this.#proxies.isTrusted(this.#peerOf(socket));
    const told = isProxied ? toldScheme(headers) : undefined;
    if (told !== undefined || isEncrypted(socket)) return told ?? 'https';
    return isProxied ? undefined : 'http';
  }
}

/** Returns the scheme by which the client came to the outermost proxy; undefined if no proxy tells it. */
function toldScheme(headers: IncomingHttpHeaders): 'http' | 'https' | undefined {
  const { forwarded, 'x-forwarded-proto': xForwardedProto } = headers;
  const [first] = [xForwardedProto ?? []].flat().join(',').split(',', 1);
  const proto = (forwarded === undefined ? undefined : forwardedProto(forwarded)) ?? first;
  const scheme = proto?.trim().toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

/** Whether the request had no Host at all: `origin-form.ts` has given it a name that no client can reach. */
function isInvalid(host: string): boolean {
  return host.toLowerCase().replace(/:\d+$/, '').endsWith('.invalid');
}

function isEncrypted(socket: Socket): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}
