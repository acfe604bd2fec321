import { isEmptyDigest, type Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import { parseContentRange, type ContentRange } from '../../http/ranges/range.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { RegistryClient, RegistryRequest } from './registry-client.ts';
import { encodingOf } from '../transport/content-encoding.ts';
import { CountedBody } from '../transport/bodies/counted-body.ts';
import { UpstreamError } from '../error.ts';
import { isHeadRefused } from './head-refused.ts';
import { mayBePage, unlessPage } from './page-in-place.ts';
import { contentLength } from '../transport/headers.ts';
import type { Quirks } from '../quirks.ts';
import type { Reporter } from '../transport/reporter.ts';
import { announcedSize } from './announced-size.ts';
import type { BlobOptions, ByteRange, CallOptions, FetchedBlob, DescribedBlob } from '../upstream.ts';

export interface BlobFetcherOptions {
  readonly upstream: string;
  readonly client: RegistryClient;
  readonly quirks: Quirks;
  readonly reporter: Reporter;
}

/** Size from which a blob is worth the reader for large bodies. */
const LARGE_BYTES = 1024 * 1024;

/** Fetches blobs of an upstream (distribution-spec, "Pulling blobs"). */
export class BlobFetcher {
  readonly #options: BlobFetcherOptions;

  constructor(options: BlobFetcherOptions) {
    this.#options = options;
  }

  /** See `Upstream.blob`. */
  async fetch(
    repository: RepositoryName,
    digest: Digest,
    options: CallOptions & Pick<BlobOptions, 'range' | 'describedSize'> = {},
  ): Promise<FetchedBlob> {
    const range = rangeHeader(options.range);
    const answer = await this.#options.client.request({
      ...blobRequest('GET', repository, digest, options),
      headers: { accept: '*/*', ...(range !== undefined && { range }) },
      isLarge: (options.describedSize ?? 0) >= LARGE_BYTES,
    });
    if (mayBePage(answer)) {
      const blob = await unlessPage(this.#options.upstream, answer, digest);
      this.#options.reporter.bytes(blob.size ?? 0);
      return blob;
    }
    const body = new CountedBody(answer.body, this.#options.reporter);
    if (answer.status !== 206) return { body, start: 0, size: sizeOf(answer) };
    const { start, size } = this.#partOf(answer, range === undefined ? undefined : options.range);
    return { body, start, size };
  }

  /** See `Upstream.statBlob`. */
  async stat(
    repository: RepositoryName,
    digest: Digest,
    options: CallOptions & { readonly expectedSize?: number | undefined } = {},
  ): Promise<DescribedBlob> {
    if (this.#options.quirks.blobStat === 'get') return this.#statByGet(repository, digest, options);
    const byHead = await this.#statByHead(repository, digest, options);
    if (byHead === 'refused') return this.#statByGet(repository, digest, options);
    const { expectedSize } = options;
    if (expectedSize !== undefined && byHead.size !== expectedSize) {
      return this.#statByGet(repository, digest, options);
    }
    if (byHead.size !== undefined) return byHead;
    // The blob is there. ORAS refuses a HEAD without a length, so the size is worth a second question, but not a
    // failure.
    return this.#statByGet(repository, digest, options).catch(() => byHead);
  }

  /** @returns `refused` if only GET may tell */
  async #statByHead(
    repository: RepositoryName,
    digest: Digest,
    options: CallOptions,
  ): Promise<DescribedBlob | 'refused'> {
    try {
      const answer = await this.#options.client.request(blobRequest('HEAD', repository, digest, options));
      await answer.body.discard();
      return { size: announcedSizeOf(answer, digest), digest: claimedDigest(answer), by: 'head' };
    } catch (error) {
      if (!isHeadRefused(error)) throw error;
      return 'refused';
    }
  }

  /** Asks for one byte. If upstream ignores ranges, it sends the whole blob, which is cut off. */
  async #statByGet(repository: RepositoryName, digest: Digest, options: CallOptions): Promise<DescribedBlob> {
    try {
      const answer = await this.#options.client.request({
        ...blobRequest('GET', repository, digest, options),
        headers: { accept: '*/*', range: 'bytes=0-0' },
      });
      await answer.body.discard();
      const claimed = claimedDigest(answer);
      if (answer.status !== 206)
        return { size: announcedSizeOf(answer, digest), digest: claimed, by: 'whole' };
      if (encodingOf(answer.headers) !== undefined) return { size: undefined, digest: claimed, by: 'range' };
      return { size: parseContentRange(answer.header('content-range'))?.size, digest: claimed, by: 'range' };
    } catch (error) {
      // An empty blob has no first byte.
      if (error instanceof UpstreamError && error.status === 416) return { size: 0, by: 'range' };
      throw error;
    }
  }

  /** @throws UpstreamError `content` if the part is not the one asked for; then it has destroyed the body */
  #partOf(answer: UpstreamResponse, asked: ByteRange | undefined): ContentRange {
    const part = parseContentRange(answer.header('content-range'));
    const isAsked = part !== undefined && asked !== undefined && part.start === asked.start;
    if (isAsked && part.end <= (asked.end ?? Number.POSITIVE_INFINITY)) return part;
    answer.body.destroy();
    const message = 'sent another part of the blob than was asked for';
    throw new UpstreamError(this.#options.upstream, 'unavailable', 'content', message, { status: 206 });
  }
}

function claimedDigest(answer: UpstreamResponse): string | undefined {
  return answer.header('docker-content-digest');
}

function blobRequest(
  method: 'GET' | 'HEAD',
  repository: RepositoryName,
  digest: Digest,
  { signal }: CallOptions,
): RegistryRequest {
  const mayBeEmpty = isEmptyDigest(digest);
  return { method, repository, path: `blobs/${digest}`, target: 'blob', mayBeEmpty, signal };
}

/** Returns the whole blob's size, from an answer that is not partial. */
function sizeOf(answer: UpstreamResponse): number | undefined {
  return answer.status === 204 ? 0 : contentLength(answer.headers);
}

/** Like `sizeOf`, for an answer whose bytes Larder does not count. */
function announcedSizeOf(answer: UpstreamResponse, digest: Digest): number | undefined {
  return answer.status === 204 ? 0 : announcedSize(answer.headers, digest);
}

/** Returns the Range header; undefined for the whole blob, since caches on the way can answer a plain GET. */
function rangeHeader(range: ByteRange | undefined): string | undefined {
  if (range === undefined || (range.start === 0 && range.end === undefined)) return undefined;
  return `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`;
}
