import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { TagNames } from '../oci/tag-names.ts';

export interface CallOptions {
  /** Ends the call. Belongs to the caller's flight, never to one client's request. */
  readonly signal?: AbortSignal | undefined;
}

/** The client that a blob is asked for. It may change while the request is under way. */
export interface Demand {
  /** Opaque, one for each client; undefined while no client waits for the blob. */
  readonly client: string | undefined;
  /** Calls `listener` whenever `client` may have changed. @returns a function that ends this */
  watch(listener: () => void): () => void;
}

/** Options of a call that waits for its turn. */
export interface TurnOptions extends CallOptions {
  /** Absent: one unnamed client, which waits until the call ends. */
  readonly demand?: Demand | undefined;
}

export interface BlobOptions extends TurnOptions {
  /** The blob's size in bytes as a manifest tells it. It decides how the answer is read, and nothing else. */
  readonly describedSize?: number | undefined;
  /** Absent: the whole blob. */
  readonly range?: ByteRange | undefined;
  /** Whether the call may wait for its turn, or fails at once (`busy`). False if the caller holds a turn already. */
  readonly mayWait?: boolean;
}

/** The manifest that a reference stands for, as upstream describes it without the bytes. */
export interface ResolvedManifest {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly size: number | undefined;
}

/** A manifest's bytes. `verified` is false only for schema 1 whose digest is over its payload, not over its bytes. */
export interface FetchedManifest {
  readonly bytes: Uint8Array;
  /** From upstream's Content-Type, without parameters; agrees with the document's own `mediaType`. */
  readonly mediaType: string;
  /** Computed from the bytes by the reference's algorithm (sha256 for a tag); of signed schema 1, from its payload. */
  readonly digest: Digest;
  readonly verified: boolean;
  /** The parsed bytes. */
  readonly content: Manifest;
}

/** A blob's bytes from `start` on, as they arrive. The body must be read to the end or destroyed. */
export interface FetchedBlob {
  /** Each step gives all the pieces that have arrived. They may be used until the next step, and no longer. */
  readonly body: AsyncIterable<readonly Uint8Array[]> & { destroy(error?: Error): unknown };
  /** Position of the first byte of `body` in the blob: the one asked for, or 0 if upstream ignored Range. */
  readonly start: number;
  /** The whole blob's size in bytes, if upstream told it. */
  readonly size: number | undefined;
}

/** A blob, as upstream describes it without the bytes. */
export interface DescribedBlob {
  /** The whole blob's size in bytes; undefined if upstream does not tell it. */
  readonly size: number | undefined;
  /** Docker-Content-Digest as it came: a claim, not verified. */
  readonly digest?: string | undefined;
  /** Source of the size: a HEAD, the Content-Range of one byte, or a GET that was answered with the whole blob. */
  readonly by: 'head' | 'range' | 'whole';
}

/** A half-open range of a blob: bytes from `start` up to, not including, `end`; without `end`, to the last byte. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number | undefined;
}

export interface TagsPage {
  readonly tags: TagNames;
  /** Opaque cursor: the caller passes it to `tags` to get the next page. Undefined on the last page. */
  readonly next: string | undefined;
}

export interface RepositoriesPage {
  /** Names as the registry spells them, each of letters, digits and `._:/-`: a mirror puts a registry's host in front. */
  readonly repositories: readonly string[];
  /** Opaque cursor of the next page. Undefined on the last page. */
  readonly next: string | undefined;
}

/**
 * One remote registry (OCI distribution spec, "Pull" and "Content Discovery"). Every method bounds what it reads, and
 * returns parsed values or throws UpstreamError. Manifests are verified; blobs are not, since the ingest verifies them.
 */
export interface Upstream {
  /** The name in the config: `docker.io`. */
  readonly name: string;
  /**
   * Asks by HEAD. @returns undefined if upstream answers without a digest or refuses HEAD: the caller fetches instead
   */
  resolve(
    repository: RepositoryName,
    reference: Reference,
    options?: CallOptions,
  ): Promise<ResolvedManifest | undefined>;
  /** Gets a manifest, with the wide Accept list. Throws `unavailable` if the bytes do not have the digest asked for. */
  manifest(repository: RepositoryName, reference: Reference, options?: CallOptions): Promise<FetchedManifest>;
  /** Gets a blob, through redirects. */
  blob(repository: RepositoryName, digest: Digest, options?: BlobOptions): Promise<FetchedBlob>;
  /**
   * Asks whether the repository has the blob, at the least cost that this registry allows. Throws `absent` if not.
   * If HEAD tells no size, or a size other than `expectedSize` (bytes), it asks for one byte, too.
   */
  statBlob(
    repository: RepositoryName,
    digest: Digest,
    options?: TurnOptions & { readonly expectedSize?: number | undefined },
  ): Promise<DescribedBlob>;
  /** Gets one page of tags, in upstream's order. */
  tags(
    repository: RepositoryName,
    options?: CallOptions & { readonly next?: string | undefined },
  ): Promise<TagsPage>;
  /**
   * Gets all referrers, from every page; by the referrers tag schema if upstream has no referrers API.
   * `artifactType` is a hint to upstream: the caller must filter.
   */
  referrers(
    repository: RepositoryName,
    subject: Digest,
    options?: CallOptions & { readonly artifactType?: string | undefined },
  ): Promise<readonly Descriptor[]>;
  /** Returns the pull limit that upstream told last; undefined if it tells none, or the window of that limit has passed. */
  rateLimit(): { readonly limit: number; readonly remaining: number } | undefined;
  /** Returns why upstream refuses the configured account; undefined while it accepts it, or nothing is known. */
  accountRefusal(): string | undefined;
  /** Closes the connections; calls that still run fail. */
  close(): Promise<void>;
}

/** A registry that is asked about itself, too, which a mirror never does. */
export interface AskedUpstream extends Upstream {
  /** Gets one page of the registry's repositories (`_catalog`). Many registries refuse it. */
  catalog(options?: CallOptions & { readonly next?: string | undefined }): Promise<RepositoriesPage>;
}
