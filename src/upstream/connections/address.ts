import ipaddr from 'ipaddr.js';

/**
 * How near to this machine an address is, from the outside inwards. No registry has a reason to send a client to a
 * `restricted` one: link-local (cloud metadata), multicast, unspecified, unassigned.
 */
export type AddressScope = 'public' | 'private' | 'loopback' | 'restricted';

const NEARNESS: readonly AddressScope[] = ['public', 'private', 'loopback', 'restricted'];

/** Cloud metadata and platform services outside link-local: EC2 by IPv6, Alibaba, Oracle, Azure. */
const METADATA: ReadonlySet<string> = new Set([
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
]);

/** Ranges of ipaddr.js with ordinary addresses, on the Internet or inside one organisation. */
const SCOPES: Readonly<Record<string, AddressScope>> = {
  unicast: 'public',
  private: 'private',
  carrierGradeNat: 'private',
  uniqueLocal: 'private',
  loopback: 'loopback',
};

/**
 * Returns the scope of an IP address (IPv4 or IPv6, without brackets). An IPv6 address that stands for an IPv4 one
 * (mapped, NAT64, 6to4) has the scope of the IPv4 one. A text that is no address is `restricted`.
 */
export function addressScope(address: string): AddressScope {
  if (!ipaddr.isValid(address)) return 'restricted';
  const parsed = ipaddr.parse(address);
  if (METADATA.has(parsed.toString())) return 'restricted';
  const embedded = parsed instanceof ipaddr.IPv6 ? embeddedIPv4(parsed) : undefined;
  return embedded === undefined ? (SCOPES[parsed.range()] ?? 'restricted') : addressScope(embedded);
}

function embeddedIPv4(address: ipaddr.IPv6): string | undefined {
  const bytes = address.toByteArray();
  switch (address.range()) {
    case 'ipv4Mapped':
    case 'rfc6145':
    case 'rfc6052':
      return bytes.slice(12).join('.');
    case '6to4':
      return bytes.slice(2, 6).join('.');
    default:
      return undefined;
  }
}

/** Returns the nearest of several scopes: any address of a name may be dialled. */
export function nearestScope(scopes: readonly AddressScope[]): AddressScope {
  return scopes.reduce<AddressScope>(
    (nearest, scope) => (NEARNESS.indexOf(scope) > NEARNESS.indexOf(nearest) ? scope : nearest),
    'public',
  );
}

/**
 * Returns the farthest of several scopes. A host with several addresses is certainly at most this near. Without scopes:
 * public.
 */
export function farthestScope(scopes: readonly AddressScope[]): AddressScope {
  return NEARNESS.find((scope) => scopes.includes(scope)) ?? 'public';
}

/**
 * Whether a redirect or a realm of an upstream with scope `upstream` may lead to an address of scope `target`: never
 * nearer to this machine than the upstream is. So a registry inside may use an object store inside, but not this
 * machine's own services (CVE-2026-48978).
 * @param allowPrivate the config's `allowPrivateNetworks`
 */
export function mayReach(target: AddressScope, upstream: AddressScope, allowPrivate: boolean): boolean {
  if (target === 'public') return true;
  if (target === 'restricted') return false;
  return allowPrivate || NEARNESS.indexOf(target) <= NEARNESS.indexOf(upstream);
}

/** Returns the scope of a URL's host name if it is an IP literal or a localhost name, which need no DNS. */
export function literalScope(hostname: string): AddressScope | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  if (ipaddr.isValid(bare)) return addressScope(bare);
  return /^(?:.+\.)?localhost\.?$/i.test(bare) ? 'loopback' : undefined;
}
