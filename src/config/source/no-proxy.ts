import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Returns whether a URL is reached without the environment's proxy: this machine always is, as in Go's clients; else an
 * entry of `no_proxy` must match it, as curl reads it. `*` matches every URL; `example.com`, with or without a dot in
 * front, matches that name and the names below it; an address matches itself, and `10.0.0.0/8` its whole range. A port
 * after a name or an address, which curl does not know, must be the URL's.
 */
export function isBypassed(target: URL, noProxy: readonly string[]): boolean {
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  const address = addressOf(host);
  if (address?.range() === 'loopback' || /^(?:.+\.)?localhost$/i.test(host)) return true;
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return noProxy.some((entry) => {
    if (entry === '*') return true;
    const named = splitPort(entry);
    if (named.port !== undefined && named.port !== port) return false;
    return address === undefined ? isName(host, named.host) : isInRange(address, named.host);
  });
}

function splitPort(entry: string): { readonly host: string; readonly port: string | undefined } {
  const [, bracketed, bracketedPort] = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry) ?? [];
  if (bracketed !== undefined) return { host: bracketed, port: bracketedPort };
  // An entry with several colons is an IPv6 address without a port.
  const [, host, port] = /^([^:]*):(\d+)$/.exec(entry) ?? [];
  return { host: host ?? entry, port };
}

function isName(host: string, entry: string): boolean {
  const name = entry
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  const lower = host.toLowerCase();
  return name !== '' && (lower === name || lower.endsWith(`.${name}`));
}

function isInRange(address: Address, entry: string): boolean {
  const [text = '', bits, ...rest] = entry.split('/');
  const range = addressOf(text);
  if (range === undefined || rest.length > 0 || range.kind() !== address.kind()) return false;
  const all = range.kind() === 'ipv4' ? 32 : 128;
  const length = bits === undefined ? all : Number(bits);
  if (!/^\d{1,3}$/.test(bits ?? '0') || length > all) return false;
  return address.match(range, length);
}

/** Reads an address. An IPv6 address that maps an IPv4 one counts as the IPv4 one. */
function addressOf(text: string): Address | undefined {
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  return isAddress ? ipaddr.process(text) : undefined;
}
