import type { Digest } from '../../oci/digest.ts';
import type { ResolvedManifest, DescribedBlob } from '../../upstream/upstream.ts';

/** Content whose bytes are in the cache. */
export interface HeldContent {
  readonly kind: 'blob' | 'manifest';
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/**
 * Whether upstream's answer confirms exactly these bytes. A status of 200 alone does not: a portal answers so to every
 * request. The size must be right, and the digest too if there is one. An answer with the whole body, of which only the
 * headers were read, proves nothing, since a portal sends that, too.
 */
export function confirms(answer: DescribedBlob, { digest, size }: HeldContent): boolean {
  const isOfDigest = answer.digest === undefined || answer.digest === digest;
  return answer.by !== 'whole' && answer.size === size && isOfDigest;
}

/** Whether a manifest's HEAD confirms these bytes. @param head undefined if HEAD did not tell which manifest it is */
export function confirmsManifest(head: ResolvedManifest | undefined, { digest, size }: HeldContent): boolean {
  return head !== undefined && head.digest === digest && head.size === size;
}
