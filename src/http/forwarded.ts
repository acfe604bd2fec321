import { QUOTED_STRING, Scanner, TOKEN, unquote } from './scanner.ts';

/** Most hops read: chains of proxies are short, so entries further to the left come from elsewhere. */
const MAX_HOPS = 32;

/** A longer header is ignored as a whole: a part of it could mean something else. */
const MAX_FORWARDED_LENGTH = 8192;

/** Most characters of an address with its brackets and port. */
const MAX_NODE_LENGTH = 64;

const SPACES = /[ \t]*/y;
/** A pair as in RFC 7239; also with values that lack the quotes that a colon or a bracket needs. */
const PAIR = new RegExp(`[ \\t]*(${TOKEN})=(${QUOTED_STRING}|[^\\s;,"]+)[ \\t]*`, 'y');
const SEMICOLON = /;/y;
const COMMA = /,/y;

/**
 * The hops that a request has come through, the nearest first, at most 32. Each is an address without its port, or a
 * text that is none (`unknown`, an obfuscated identifier, nonsense). Whether a hop may be believed depends on the proxy
 * that wrote it.
 */
export type Hops = readonly string[];

/** The hops of an unreadable header: one that is no address. */
const UNREADABLE: Hops = [''];

/** Reads X-Forwarded-For, its lines joined by commas in their order. */
export function parseXForwardedFor(header: string): Hops {
  const hops: string[] = [];
  let end = header.length;
  while (end >= 0 && hops.length < MAX_HOPS) {
    const comma = end === 0 ? -1 : header.lastIndexOf(',', end - 1);
    hops.push(addressOf(header.slice(comma + 1, end)));
    end = comma;
  }
  return hops;
}

/** Reads the `for` of each element of Forwarded (RFC 7239 §4, §6), its lines joined by commas in their order. */
export function parseForwarded(header: string): Hops {
  const elements = parseElements(header);
  if (elements === undefined) return UNREADABLE;
  return elements
    .map((element) => addressOf(element.get('for') ?? ''))
    .toReversed()
    .slice(0, MAX_HOPS);
}

/**
 * Returns the `proto` of the first element of Forwarded in lower case: the scheme by which the client came to the
 * outermost proxy. Undefined if there is none, or the header is unreadable.
 */
export function forwardedProto(header: string): string | undefined {
  return parseElements(header)?.[0]?.get('proto')?.toLowerCase();
}

/** Reads the elements that are not empty; returns undefined for an unreadable header. */
function parseElements(header: string): readonly ReadonlyMap<string, string>[] | undefined {
  if (header.length > MAX_FORWARDED_LENGTH) return undefined;
  const scanner = new Scanner(header);
  const elements: ReadonlyMap<string, string>[] = [];
  for (;;) {
    scanner.take(SPACES);
    const element = takeElement(scanner);
    if (element === undefined) return undefined;
    if (element.size > 0) elements.push(element);
    if (scanner.isAtEnd) return elements;
    if (scanner.take(COMMA) === undefined) return undefined;
  }
}

/** Reads the parameters of one element; returns undefined if one of them comes twice. */
function takeElement(scanner: Scanner): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  do {
    const [, name = '', value = ''] = scanner.take(PAIR) ?? [];
    const key = name.toLowerCase();
    if (parameters.has(key)) return undefined;
    if (key !== '') parameters.set(key, unquote(value));
  } while (scanner.take(SEMICOLON) !== undefined);
  return parameters;
}

/** Returns the address alone, from `192.0.2.1`, `192.0.2.1:47011`, `2001:db8::1` or `[2001:db8::1]:_port`. */
function addressOf(node: string): string {
  const text = node.slice(0, 4 * MAX_NODE_LENGTH).trim();
  if (text.length > MAX_NODE_LENGTH) return '';
  const [, ipv6, other] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::[\w.-]+)?$/.exec(text) ?? [];
  return ipv6 ?? other ?? text;
}
