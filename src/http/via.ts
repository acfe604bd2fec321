import { headerLines, type HeaderLines } from './scanner.ts';

/** By which Larder calls itself in Via: a pseudonym, since it need not know how it is seen from outside. */
const OURS = /^(?:[!#$%&'*+.^`|~\w-]+\/)?[!#$%&'*+.^`|~\w-]+[ \t]+larder-([A-Za-z0-9-]{1,64})(?![^ \t(])/;

/**
 * The ids of the Larders that a request has come through, in order (RFC 9110 §7.6.3). Other proxies are left out: what
 * stands before a mirror inside is no business of a registry outside.
 */
export function parseVia(header: HeaderLines): readonly string[] {
  return headerLines(header)
    .flatMap((line) => line.split(','))
    .flatMap((member) => OURS.exec(member.trim())?.[1] ?? []);
}

/** A Via of the Larders with these ids. */
export function formatVia(ids: readonly string[]): string {
  return ids.map((id) => `1.1 larder-${id}`).join(', ');
}
