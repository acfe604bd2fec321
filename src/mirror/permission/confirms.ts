import type { Digest } from '../../oci/digest.ts';
import type { ResolvedManifest, ToldBlob } from '../../upstream/upstream.ts';

/** Bytes that are here. */
export interface HeldContent {
  readonly kind: 'blob' | 'manifest';
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/**
 * Whether what upstream told is its word for just these bytes. A status of 200 is not: a portal answers that to
 * everything. The size must be right, and the digest where there is one; an answer with the whole, whose headers are
 * all that was read of it, proves nothing, since a portal sends that, too.
 */
export function confirms(told: ToldBlob, { digest, size }: HeldContent): boolean {
  const isOfDigest = told.digest === undefined || told.digest === digest;
  return told.by !== 'whole' && told.size === size && isOfDigest;
}

/** The same of a manifest's HEAD. @param told undefined where HEAD did not tell which manifest it is */
export function confirmsManifest(told: ResolvedManifest | undefined, { digest, size }: HeldContent): boolean {
  return told !== undefined && told.digest === digest && told.size === size;
}
