import type { StoredManifest } from '../content/stored-manifest.ts';
import type { RangeSpec } from '../http/ranges/range.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { ListQuery } from '../oci/tag-names.ts';
import type { ListPage, ReferrersPage } from './list-page.ts';
import type { BlobStat, OpenedBlob } from './opened-blob.ts';
import type { ManifestHead, PulledManifest } from './pulled-manifest.ts';
import type { Resolution } from './resolution.ts';

/** How a client asks about what may be another thing tomorrow: a tag, a list. */
export interface Asking {
  /** The client wants to know what it is now, a moment after a push say (RFC 9111 §5.2.1.4). */
  readonly isAnew: boolean;
}

/** Which part of a blob a client asks for. */
export interface BlobQuestion {
  /** Undefined: the whole. */
  readonly range: RangeSpec | undefined;
  /** An opaque key, one for each client: what is scarce is dealt out fairly among clients. */
  readonly client: string;
}

/**
 * One repository, as it answers those who pull from it (OCI distribution spec, "Pull" and "Content Discovery"). Where the
 * content comes from is its own affair. What a reference stands for is found by one call and given by another, so that a
 * decision about the digest can stand between the two. Methods throw RegistryError where the question has no answer, and
 * UpstreamError where it depends on an upstream that says no or cannot be asked.
 */
export interface Repository {
  readonly key: RepositoryKey;

  /** What a reference stands for; a digest stands for itself, and nothing is asked about it. */
  resolve(reference: Reference, asking: Asking): Promise<Resolution>;
  /** What `resolve` gives, where that takes neither I/O nor waiting; else undefined. */
  resolveNow(reference: Reference): Resolution | undefined;

  /** The manifest of what `resolve` gave; a tag's may be another one, where it has moved meanwhile. */
  manifest(resolution: Resolution): Promise<PulledManifest>;
  /** What `manifest` gives, where that takes neither I/O nor waiting; else undefined. */
  manifestNow(resolution: Resolution): PulledManifest | undefined;
  /**
   * The headers of the manifest, where they are known without it: a client that only looks for a new version must not
   * cost a pull. Undefined where they are not, or the manifest is here: then `manifest` is to be asked.
   */
  manifestHead(resolution: Resolution): Promise<ManifestHead | undefined>;
  /**
   * The linux/amd64 image of an index that the repository has given, for clients that know single images only.
   * @throws RegistryError MANIFEST_UNKNOWN where it has none
   */
  linuxImage(index: StoredManifest): Promise<Digest>;

  /** The caller closes the reader. */
  blob(digest: Digest, question: BlobQuestion): Promise<OpenedBlob>;
  /** Whether the repository has the blob, and its size, without the bytes. */
  blobHead(digest: Digest, question: Pick<BlobQuestion, 'client'>): Promise<BlobStat>;

  tags(query: ListQuery, asking: Asking): Promise<ListPage>;
  /** What refers to a manifest; none is an empty list. */
  referrers(subject: Digest, asking: Asking): Promise<ReferrersPage>;
}
