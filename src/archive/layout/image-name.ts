import { parseDigest } from '../../oci/digest.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import { parseTag } from '../../oci/tag.ts';
import { RegistryError } from '../../oci/error.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';

/** The full name of a manifest: its registry, its repository, and there a tag or a digest. */
export interface ImageName {
  readonly key: RepositoryKey;
  readonly reference: Reference;
}

/** Formats `registry/repository:tag` or `registry/repository@digest`. */
export function formatImageName({ key, reference }: ImageName): string {
  const separator = reference.kind === 'tag' ? ':' : '@';
  return `${key.registry}/${key.repository}${separator}${formatReference(reference)}`;
}

/**
 * Reads what `formatImageName` writes: the first segment is the registry, whatever it looks like. A name of which a tag
 * and a digest are given (`app:1@sha256:…`) is the digest's, as it is for clients.
 * @returns undefined for any other text, such as a tag alone
 */
export function parseImageName(text: string): ImageName | undefined {
  const slash = text.indexOf('/');
  const at = text.indexOf('@');
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  if (slash <= 0 || (at === -1 && colon === -1)) return undefined;
  try {
    const repository = parseRepositoryName(named.slice(slash + 1, colon === -1 ? undefined : colon));
    const reference: Reference =
      at === -1
        ? { kind: 'tag', tag: parseTag(named.slice(colon + 1)) }
        : { kind: 'digest', digest: parseDigest(text.slice(at + 1)) };
    return { key: { registry: text.slice(0, slash), repository }, reference };
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}
