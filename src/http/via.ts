import { headerLines, type HeaderLines } from './scanner.ts';

/** A Larder's member of Via. It has a pseudonym, since a Larder need not know its host name as seen from outside. */
const OURS = /^(?:[!#$%&'*+.^`|~\w-]+\/)?[!#$%&'*+.^`|~\w-]+[ \t]+larder-([A-Za-z0-9-]{1,64})(?![^ \t(])/;

/**
 * Reads the ids of the Larders that a request has come through, in order (RFC 9110 §7.6.3). It leaves out other
 * proxies: a registry outside need not know which ones stand in front of a mirror inside.
 */
export function parseVia(header: HeaderLines): readonly string[] {
  return headerLines(header)
    .flatMap((line) => line.split(','))
    .flatMap((member) => OURS.exec(member.trim())?.[1] ?? []);
}

/** Formats a Via of the Larders with these ids. */
export function formatVia(ids: readonly string[]): string {
  return ids.map((id) => `1.1 larder-${id}`).join(', ');
}
