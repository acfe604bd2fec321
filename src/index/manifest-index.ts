import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Edge } from '../oci/manifest.ts';
import type { RepositoryKey } from './repository-key.ts';

/** What is known of a stored manifest without reading it. */
export interface ManifestEntry {
  /** As a referrers answer shows it: with `artifactType` and `annotations` where they are. */
  readonly descriptor: Descriptor;
  readonly subject: Digest | undefined;
}

interface PutManifestOptions {
  /** Its bytes were committed, too: recorded as by `putBlob`. */
  readonly stored?: { readonly usedAt: number } | undefined;
  /** Of what it refers to: confirmed rather than claimed, where the upstream has given it. None unless told. */
  readonly vouched?: ReadonlySet<Digest> | undefined;
}

/** What the stored manifests are, and what refers to what. */
export interface ManifestIndex {
  manifest(digest: Digest): Promise<ManifestEntry | undefined>;
  /**
   * All or nothing: the manifest, what it refers to, that it was given to the repository by its upstream under this
   * type, and that the repository claims all of what it refers to (but its subject); of the claims, a failure may leave
   * a part. A manifest that has a subject keeps it where it comes again under a type that knows none.
   */
  putManifest(
    key: RepositoryKey,
    entry: ManifestEntry,
    edges: readonly Edge[],
    options?: PutManifestOptions,
  ): Promise<void>;
  /** The type under which the upstream has given the manifest; undefined where it has not, or as a blob only. */
  manifestType(upstream: string, digest: Digest): Promise<string | undefined>;

  edges(manifest: Digest): Promise<readonly Edge[]>;
  /** Stored manifests that may be served for the repository and whose subject is `subject`; with their types there. */
  referrers(key: RepositoryKey, subject: Digest): Promise<readonly Descriptor[]>;
  /**
   * Manifests that refer to the digest other than as their subject: the stored ones, or those that belong to the
   * repository, stored or not. One that does so twice may be there twice.
   */
  parents(digest: Digest, limit: number, key?: RepositoryKey): Promise<readonly Digest[]>;
  /**
   * The digest, what it refers to (but its subject), and so on, as far as the manifests are here. Bounded in
   * depth, which is that of an index of indexes of images, and in number.
   */
  closure(digest: Digest): Promise<readonly Digest[]>;
  /**
   * The size that the manifests' descriptors give for the digest; undefined where none does or they disagree:
   * a manifest that lies about another's layer must not decide how long that is.
   */
  describedSize(digest: Digest): Promise<number | undefined>;
}
