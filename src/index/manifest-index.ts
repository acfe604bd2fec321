import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Edge } from '../oci/manifest.ts';
import type { RepositoryKey } from './repository-key.ts';

/** What is known of a stored manifest without reading it. */
export interface ManifestEntry {
  /** The descriptor that a referrers answer shows: with `artifactType` and `annotations`, if the manifest has them. */
  readonly descriptor: Descriptor;
  readonly subject: Digest | undefined;
}

interface PutManifestOptions {
  /** Present if the manifest's bytes were committed as well: they are recorded as by `putBlob`. */
  readonly stored?: { readonly usedAt: number } | undefined;
  /** Digests that belong as confirmed rather than claimed if the upstream has given them. Default: none. */
  readonly vouched?: ReadonlySet<Digest> | undefined;
}

/** What the stored manifests are, and what refers to what. */
export interface ManifestIndex {
  manifest(digest: Digest): Promise<ManifestEntry | undefined>;
  /**
   * Records the manifest, what it refers to, that the repository's upstream has given it under this type, and that the
   * repository claims all that it refers to (except its subject). All or nothing, but a failure may leave a part of
   * the claims. A manifest keeps its subject if it comes again under a type that has none.
   */
  putManifest(
    key: RepositoryKey,
    entry: ManifestEntry,
    edges: readonly Edge[],
    options?: PutManifestOptions,
  ): Promise<void>;
  /** The type under which the upstream gave the manifest; undefined if it never did, or gave it only as a blob. */
  manifestType(upstream: string, digest: Digest): Promise<string | undefined>;

  edges(manifest: Digest): Promise<readonly Edge[]>;
  /**
   * Stored manifests with the subject `subject` that may be served for the repository, each under the type that the
   * repository's upstream gave it.
   */
  referrers(key: RepositoryKey, subject: Digest): Promise<readonly Descriptor[]>;
  /**
   * Manifests that refer to the digest, other than as their subject: without `key` the stored ones; with it the ones
   * that belong to the repository, stored or not. A manifest that refers to it twice may be listed twice.
   */
  parents(digest: Digest, limit: number, key?: RepositoryKey): Promise<readonly Digest[]>;
  /**
   * The digest, what it refers to (except its subject), and so on, as far as the manifests are known. The number of
   * digests is bounded, and so is the depth: it reaches the layers of an index of indexes of images.
   */
  closure(digest: Digest): Promise<readonly Digest[]>;
  /**
   * The size that the manifests' descriptors give for the digest; undefined if none does, or if they disagree: a
   * manifest that lies about another manifest's layer must not decide that layer's size.
   */
  describedSize(digest: Digest): Promise<number | undefined>;
}
