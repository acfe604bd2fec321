import { parseDigest, type Digest } from './digest.ts';
import { parseTag, type Tag } from './tag.ts';

/** A reference as people type it, in its parts. */
export interface SpelledReference {
  /** The repository, perhaps with a registry in front; its grammar is not yet checked. */
  readonly name: string;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

/**
 * Splits `name:tag@digest`. A colon before a slash is a port's.
 * @throws RegistryError DIGEST_INVALID or TAG_INVALID
 */
export function splitReference(text: string): SpelledReference {
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : parseDigest(text.slice(at + 1));
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  if (colon === -1) return { name: named, tag: undefined, digest };
  return { name: named.slice(0, colon), tag: parseTag(named.slice(colon + 1)), digest };
}

const HOST = /^(?=.*[.:]|localhost$)(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/;

/**
 * Whether the first segment of a name is a registry, and not the first part of a repository: by a dot, a port or
 * `localhost` (distribution/reference, `splitDockerDomain`). @param segment in lower case
 */
export function isRegistrySegment(segment: string): boolean {
  return HOST.test(segment);
}
