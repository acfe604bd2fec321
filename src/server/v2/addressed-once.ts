import { RegistryError } from '../../oci/error.ts';

/**
 * Refuses a request with two Hosts or two `ns`. Host and `ns` choose the upstream: a proxy in front of Larder may have
 * allowed the request because of one of the two, and Larder would then follow the other.
 * @throws RegistryError NAME_INVALID (RFC 9112 section 3.2 wants 400 for a second Host)
 */
export function assertAddressedOnce(rawHeaders: readonly string[], query: URLSearchParams): void {
  if (hasTwoHosts(rawHeaders)) throw new RegistryError('NAME_INVALID', 'the request has more than one Host');
  if (query.getAll('ns').length > 1)
    throw new RegistryError('NAME_INVALID', 'the request has more than one ns');
}

/**
 * Returns whether there is more than one Host: Node itself keeps the first and drops the others.
 * @param rawHeaders names and values in turn
 */
export function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}
