/** Most characters of a name in the DNS, and of a Host that is one. */
const MAX_NAME_LENGTH = 253;

/** A name or an IPv4 address, or an IPv6 address in brackets, and perhaps a port (RFC 9110 §7.2). */
const HOST = /^([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?$/i;

/**
 * Returns whether a Host header may stand in a URL that is sent to clients. RFC 3986 allows more in a host, such as
 * `user@` in front of it or percent-encoding, but a URL with these means another host than its reader expects.
 */
export function isHost(text: string): boolean {
  const [, name, port = '80'] = HOST.exec(text) ?? [];
  return name !== undefined && name.length <= MAX_NAME_LENGTH && Number(port) >= 1 && Number(port) <= 65_535;
}
