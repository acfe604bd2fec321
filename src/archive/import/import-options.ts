import type { Clock } from '../../clock.ts';
import type { BelongingIndex } from '../../index/belonging-index.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import type { ManifestIndex } from '../../index/manifest-index.ts';
import type { PinIndex } from '../../index/pin-index.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import type { TagIndex } from '../../index/tag-index.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import type { Reference } from '../../oci/reference.ts';

/** A name as it is understood here: of a repository, and perhaps of a manifest in it. */
export interface UnderstoodName {
  readonly key: RepositoryKey;
  readonly reference: Reference | undefined;
}

/** The cache that a bundle is imported into. */
export interface ImportCache {
  readonly store: BlobStore;
  readonly index: BelongingIndex & BlobIndex & ManifestIndex & PinIndex & TagIndex;
  readonly clock: Clock;
  /** Returns how many bytes of a blob may be written before it asks again; 0 if there is no room for the blob. */
  readonly room: (blob: { readonly size: number; readonly offset: number }) => Promise<number>;
  /** Greatest number of bytes that the cache keeps; undefined: unlimited. */
  readonly maxBytes: number | undefined;
  /**
   * Returns what a name means here: `docker.io/library/debian:12`, or what users type, such as `debian:12`.
   * @throws BundleError if it is no name, or its registry or its repository is not configured
   */
  readonly nameOf: (text: string) => UnderstoodName;
  /** Called when a repository has got content: an earlier refusal of it means nothing any more. */
  readonly onImported: (key: RepositoryKey, digests: readonly Digest[]) => void;
}

/** What an operator wants of an import. */
export interface ImportRequest {
  /** The repository, or the `repository:tag`, of images that have no full name of their own. */
  readonly as?: string | undefined;
  /** Whether an index is imported without the images that the bundle leaves out. Default: false. */
  readonly isPartial?: boolean | undefined;
  /** Whether what is imported is pinned. Default: false. */
  readonly isPinned?: boolean | undefined;
}
