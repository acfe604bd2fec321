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

/** Who wants a blob, or to know of it. That may change while it is on its way. */
export interface Demand {
  /** Opaque, one for each client; undefined while no client waits for the blob. */
  readonly client: string | undefined;
  /** @param listener is called whenever `client` may have changed. @returns what ends that */
  watch(listener: () => void): () => void;
}

/** Of a call that waits for its turn. */
export interface TurnOptions extends CallOptions {
  /** Absent: some client, who stays. */
  readonly demand?: Demand | undefined;
}

export interface BlobOptions extends TurnOptions {
  /** The whole, unless told. */
  readonly range?: ByteRange | undefined;
  /** False: it is refused at once (`busy`) where its turn has not come. For a caller that holds a turn already. */
  readonly mayWait?: boolean;
}

/** What an upstream says a reference stands for, without the bytes. */
export interface ResolvedManifest {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly size: number | undefined;
}

/** A manifest's bytes. `verified` is false only for schema 1 whose digest is over its payload, not over its bytes. */
export interface FetchedManifest {
  readonly bytes: Uint8Array;
  /** Bare, as upstream's Content-Type says, agreeing with the document's own `mediaType`. */
  readonly mediaType: string;
  /** Computed from the bytes with the algorithm asked for (sha256 for a tag); signed schema 1: that of its payload. */
  readonly digest: Digest;
  readonly verified: boolean;
  /** What the bytes say. */
  readonly content: Manifest;
}

/** A blob's bytes from `start` on, as they arrive. The body must be read to the end or destroyed. */
export interface FetchedBlob {
  /** Each time all that has arrived, in pieces; they are the taker's, memory and all. */
  readonly body: AsyncIterable<readonly Uint8Array[]> & { destroy(error?: Error): unknown };
  /** Position of the first byte of `body` in the blob: the one asked for, or 0 where upstream ignored Range. */
  readonly start: number;
  /** The whole blob's size in bytes, where upstream told it. */
  readonly size: number | undefined;
}

/** What an upstream says of a blob, without the bytes. */
export interface ToldBlob {
  /** The whole blob's size in bytes; undefined where it does not tell. */
  readonly size: number | undefined;
  /** Docker-Content-Digest as it came: a claim. */
  readonly digest?: string | undefined;
  /** Where the size comes from: a HEAD, the Content-Range of one byte, or a GET that was answered with the whole. */
  readonly by: 'head' | 'range' | 'whole';
}

/** A half-open range of a blob: bytes from `start` up to, not including, `end`; no `end`: to the last byte. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number | undefined;
}

export interface TagsPage {
  readonly tags: TagNames;
  /** Opaque; given back to `tags` for the page after this one. Undefined on the last page. */
  readonly next: string | undefined;
}

/**
 * One remote registry (OCI distribution spec, "Pull" and "Content Discovery"). Every method gives parsed
 * values, with every foreign body bounded, or throws UpstreamError. Manifests are verified; blobs are not:
 * the ingest does that.
 */
export interface Upstream {
  /** The name in the config: `docker.io`. */
  readonly name: string;
  /**
   * HEAD. Undefined where upstream answers without a digest or does not do HEAD: the caller fetches instead.
   */
  resolve(
    repository: RepositoryName,
    reference: Reference,
    options?: CallOptions,
  ): Promise<ResolvedManifest | undefined>;
  /** GET with the wide Accept list. A digest reference whose bytes differ is `unavailable`. */
  manifest(repository: RepositoryName, reference: Reference, options?: CallOptions): Promise<FetchedManifest>;
  /** GET, through redirects. */
  blob(repository: RepositoryName, digest: Digest, options?: BlobOptions): Promise<FetchedBlob>;
  /**
   * Whether the blob is in the repository, at the least cost that this registry allows. Throws `absent` if not.
   * Where HEAD does not tell the size, or another one than `expectedSize` (bytes), one byte is asked for, too.
   */
  statBlob(
    repository: RepositoryName,
    digest: Digest,
    options?: TurnOptions & { readonly expectedSize?: number | undefined },
  ): Promise<ToldBlob>;
  /** One page of tags, in upstream's order. */
  tags(
    repository: RepositoryName,
    options?: CallOptions & { readonly next?: string | undefined },
  ): Promise<TagsPage>;
  /**
   * All referrers, through every page; the tag-schema fallback where upstream has no referrers API.
   * `artifactType` is a hint: the caller filters.
   */
  referrers(
    repository: RepositoryName,
    subject: Digest,
    options?: CallOptions & { readonly artifactType?: string | undefined },
  ): Promise<readonly Descriptor[]>;
  /** What upstream last told of the pulls that are left; undefined where it does not tell. */
  rateLimit(): { readonly limit: number; readonly remaining: number } | undefined;
  /** Why upstream does not take the configured account; undefined while it does, or nothing is known. */
  accountRefusal(): string | undefined;
  /** Closes the connections; what still runs fails. */
  close(): Promise<void>;
}
