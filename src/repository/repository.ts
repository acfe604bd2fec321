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

/** How a client asks about something that may change: a tag, a list. */
export interface Asking {
  /** Whether the client wants the present state, for instance right after a push (RFC 9111 §5.2.1.4). */
  readonly isAnew: boolean;
  /**
   * Whether the last pulls that the registry allows are left to others: for work that no client waits for.
   * Absent: they are not.
   */
  readonly sparesQuota?: boolean;
}

/** Which part of a blob a client asks for. */
export interface BlobQuestion {
  /** Undefined: the whole. */
  readonly range: RangeSpec | undefined;
  /** An opaque key, one for each client: scarce turns at upstreams are shared fairly among clients. */
  readonly client: string;
}

/**
 * One repository, from which clients pull (OCI distribution spec, "Pull" and "Content Discovery"). Callers do not know
 * where its content comes from. One call resolves a reference and another one gives the manifest, so that callers can
 * decide about the digest in between. Methods throw RegistryError if the question has no answer, and UpstreamError if
 * the answer depends on an upstream that refuses or cannot be asked.
 */
export interface Repository {
  readonly key: RepositoryKey;

  /** Resolves a reference. A digest stands for itself, and nothing is asked about it. */
  resolve(reference: Reference, asking: Asking): Promise<Resolution>;
  /** Returns what `resolve` gives, if that takes neither I/O nor waiting; else undefined. */
  resolveNow(reference: Reference): Resolution | undefined;

  /** Pulls the manifest that `resolve` has found; it may be another one if the tag has moved meanwhile. */
  manifest(resolution: Resolution): Promise<PulledManifest>;
  /** Returns what `manifest` gives, if that takes neither I/O nor waiting; else undefined. */
  manifestNow(resolution: Resolution): PulledManifest | undefined;
  /**
   * Returns the manifest's headers if they are known without the manifest: a client that only looks for a new version
   * must not cost a pull. Undefined if they are not, or the manifest is cached: then the caller must call `manifest`.
   */
  manifestHead(resolution: Resolution): Promise<ManifestHead | undefined>;
  /**
   * Returns the linux/amd64 image of an index that the repository has given, for clients that know only single images.
   * @throws RegistryError MANIFEST_UNKNOWN if the index has none
   */
  linuxImage(index: StoredManifest): Promise<Digest>;

  /** Opens a blob. The caller closes the reader. */
  blob(digest: Digest, question: BlobQuestion): Promise<OpenedBlob>;
  /** Finds out whether the repository has the blob, and its size, without the bytes. */
  blobHead(digest: Digest, question: Pick<BlobQuestion, 'client'>): Promise<BlobStat>;

  tags(query: ListQuery, asking: Asking): Promise<ListPage>;
  /** Lists the referrers of a manifest; the list is empty if there are none. */
  referrers(subject: Digest, asking: Asking): Promise<ReferrersPage>;
}
