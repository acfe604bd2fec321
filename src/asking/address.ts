import { knownRegistry } from '../config/sections/known-registries.ts';
import { quoted } from '../text/quoted.ts';
import { literalScope } from '../upstream/connections/address.ts';
import type { AskedRegistry, Scheme } from './asked.ts';
import { AskError } from './error.ts';

/** How a registry is reached: itself, or through a mirror. */
export interface Address {
  /** The API is at `<url>/v2/`. */
  readonly url: URL;
  /** The name in messages. */
  readonly name: string;
  /** The name under which Docker keeps an account. */
  readonly account: string;
  /** Token servers outside the registry's domain that may get the account. */
  readonly trustedRealms: readonly string[];
}

/** What was typed of how to connect. */
export interface Connecting {
  /** The mirror to go through, with its scheme. */
  readonly via?: URL | undefined;
  /** Whether to ask by plain http. */
  readonly isInsecure?: boolean | undefined;
  /** Whether a certificate authority was named, so that TLS is meant. */
  readonly hasAuthority?: boolean | undefined;
}

/**
 * Decides where to ask about a registry. A mirror is asked by its path form: `/ghcr.io/v2/…` is the API of `ghcr.io`.
 * @throws AskError if the name cannot be a host
 */
export function addressOf(registry: AskedRegistry, connecting: Connecting = {}): Address {
  const { via } = connecting;
  if (via !== undefined) return throughMirror(registry, via);
  const { url, trustedRealms = [] } = knownRegistry(registry.name) ?? {};
  const { name } = registry;
  const own = url ?? hostUrl(name, name, schemeOf(registry, connecting));
  if (registry.scheme === 'http' || connecting.isInsecure === true) own.protocol = 'http:';
  return { url: own, name, account: name, trustedRealms };
}

/** Reads a mirror's address: `localhost:5000`, `https://mirror.example`. @throws AskError */
export function parseMirror(text: string, connecting: Omit<Connecting, 'via'> = {}): URL {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*)$/is.exec(text) ?? [];
  const typed = scheme?.toLowerCase() as Scheme | undefined;
  const name = rest.replace(/\/.*$/s, '');
  return hostUrl(rest, text, schemeOf({ name, scheme: typed }, connecting));
}

/** Docker asks a registry on this machine by http, too. */
function schemeOf({ name, scheme }: AskedRegistry, { isInsecure, hasAuthority }: Connecting): Scheme {
  if (scheme !== undefined) return scheme;
  if (isInsecure === true) return 'http';
  const isHere = literalScope(name.replace(/:\d+$/, '')) === 'loopback';
  return isHere && hasAuthority !== true ? 'http' : 'https';
}

function hostUrl(host: string, typed: string, scheme: Scheme): URL {
  const url = URL.parse(`${scheme}://${host}`);
  if (url !== null && url.username === '' && url.search === '' && url.hash === '') return url;
  throw new AskError(`${quoted(typed)} is no address: expected one such as localhost:5000`);
}

function throughMirror({ name }: AskedRegistry, via: URL): Address {
  const url = new URL(via);
  url.pathname = `${via.pathname.replace(/\/$/, '')}/${name}`;
  return { url, name: `${via.host}/${name}`, account: via.host, trustedRealms: [] };
}
