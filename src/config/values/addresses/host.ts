import { isIPv4, isIPv6 } from 'node:net';
import { asciiLower } from '../../../text/ascii.ts';
import { textLeaf, unchanged, type Leaf } from '../leaf.ts';
import { ValueError, valueOrError } from '../value-error.ts';

/** RFC 1123 section 2.1, in lower case. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const HOST_AND_PORT = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/;

/** Returns whether `text` is a host name or an IPv4 address, in lower case. */
export function isHostName(text: string): boolean {
  const isNumeric = /^[\d.]+$/.test(text);
  if (isNumeric) return isIPv4(text);
  return text.length <= 253 && text.split('.').every((label) => LABEL.test(label));
}

/**
 * Reads `name`, `name:port`, `192.0.2.1:5000`, `[2001:db8::1]:5000`.
 * @returns the host in lower case
 * @throws ValueError
 */
export function parseHost(text: string): string {
  const lower = asciiLower(text);
  const [, host, port] = HOST_AND_PORT.exec(lower) ?? [];
  const isHost = host !== undefined && (isHostName(host) || isBracketedIPv6(host));
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  if (!isHost || !isPort) throw new ValueError('a host such as mirror.example or mirror.example:5000');
  return lower;
}

function isBracketedIPv6(host: string): boolean {
  return host.startsWith('[') && isIPv6(host.slice(1, -1)) && !host.includes('%');
}

/**
 * Reads the host that names a registry in an image's reference. It has a dot or a port, or is `localhost`: by that,
 * clients distinguish it from the first segment of a repository (distribution/reference, `splitDockerDomain`), and
 * Larder does so in paths such as `/v2/ghcr.io/acme/app/...`.
 * @returns the host in lower case
 * @throws ValueError
 */
export function parseRegistryHost(text: string): string {
  const host = valueOrError(() => parseHost(text));
  if (host instanceof ValueError || !(/[.:]/.test(host) || host === 'localhost')) {
    throw new ValueError('a registry host such as ghcr.io or registry.example:5000');
  }
  return host;
}

/** A host, with or without a port, in lower case. */
export function host(): Leaf<string> {
  const expected = 'a host such as mirror.example';
  return textLeaf({ title: 'host', expected, parse: parseHost, format: unchanged });
}

/** The host of a registry in lower case. */
export function registryHost(): Leaf<string> {
  const expected = 'a registry host such as ghcr.io';
  return textLeaf({ title: 'registry host', expected, parse: parseRegistryHost, format: unchanged });
}
