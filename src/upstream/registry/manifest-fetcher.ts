import { isDigest } from '../../oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../oci/documents/json.ts';
import { WIDE_ACCEPT, bareMediaType, isManifestMediaType } from '../../oci/media-type.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { HeldDocument } from '../transport/bodies/response-body.ts';
import type { RegistryClient } from './registry-client.ts';
import { encodingOf } from '../transport/content-encoding.ts';
import { UpstreamError } from '../error.ts';
import { isHeadRefused } from './head-refused.ts';
import type { Work } from './parsing/functions.ts';
import type { Parser } from './parsing/parser.ts';
import { readDocument } from './read-document.ts';
import { announcedSize } from './announced-size.ts';
import type { CallOptions, FetchedManifest, ResolvedManifest } from '../upstream.ts';

/** One header line: some proxies join several, and others keep only the first. */
const ACCEPT = WIDE_ACCEPT.join(', ');

export interface ManifestFetcherOptions {
  readonly upstream: string;
  readonly client: RegistryClient;
  readonly parser: Parser;
}

/** Fetches manifests of an upstream (distribution-spec, "Pulling manifests"). */
export class ManifestFetcher {
  readonly #options: ManifestFetcherOptions;

  constructor(options: ManifestFetcherOptions) {
    this.#options = options;
  }

  /** See `Upstream.resolve`. */
  async resolve(
    repository: RepositoryName,
    reference: Reference,
    options: CallOptions = {},
  ): Promise<ResolvedManifest | undefined> {
    const answer = await this.#head(repository, reference, options);
    await answer?.body.discard();
    return answer === undefined ? undefined : this.#resolved(answer, reference);
  }

  /** See `Upstream.manifest`. */
  async fetch(
    repository: RepositoryName,
    reference: Reference,
    options: CallOptions = {},
  ): Promise<FetchedManifest> {
    const { upstream, parser } = this.#options;
    const { answer, document } = await this.#whole(repository, reference, options);
    using held = document;
    const { bytes } = held;
    const claimedDigest = answer.header('docker-content-digest');
    const fetched = { bytes, contentType: answer.header('content-type'), claimedDigest };
    const work: Work<'fetchedManifest'> = { name: 'fetchedManifest', args: [fetched, reference] };
    const reading = await readDocument(upstream, parser, work, bytes.length);
    if ('read' in reading) return { bytes, ...reading.read };
    const encoding = encodingOf(answer.headers);
    const message =
      encoding === undefined ? reading.problem : `sent a body with Content-Encoding ${encoding}`;
    throw new UpstreamError(upstream, 'unavailable', 'content', message, { status: 200 });
  }

  /** Fetches the body, and asks once more if the connection breaks inside it: a manifest is too small to be resumed. */
  async #whole(
    repository: RepositoryName,
    reference: Reference,
    options: CallOptions,
  ): Promise<{ readonly answer: UpstreamResponse; readonly document: HeldDocument }> {
    for (let isFirst = true; ; isFirst = false) {
      const answer = await this.#ask('GET', repository, reference, options);
      try {
        return { answer, document: await answer.body.document(MAX_MANIFEST_BYTES) };
      } catch (error) {
        if (!isFirst || !(error instanceof UpstreamError) || error.reason !== 'reset') throw error;
      }
    }
  }

  /** @returns undefined if HEAD was refused, and GET may get another answer */
  async #head(
    repository: RepositoryName,
    reference: Reference,
    options: CallOptions,
  ): Promise<UpstreamResponse | undefined> {
    try {
      return await this.#ask('HEAD', repository, reference, options);
    } catch (error) {
      if (!isHeadRefused(error)) throw error;
      return undefined;
    }
  }

  async #ask(
    method: 'GET' | 'HEAD',
    repository: RepositoryName,
    reference: Reference,
    { signal }: CallOptions,
  ): Promise<UpstreamResponse> {
    return this.#options.client.request({
      method,
      repository,
      path: `manifests/${formatReference(reference)}`,
      headers: { accept: ACCEPT },
      target: 'manifest',
      signal,
    });
  }

  /**
   * @returns undefined if only GET can tell: ECR and others send no digest, and GAR answers some errors with 200 and
   * HTML
   */
  #resolved(answer: UpstreamResponse, reference: Reference): ResolvedManifest | undefined {
    const claimed = answer.header('docker-content-digest');
    const bare = bareMediaType(answer.header('content-type'));
    if (bare === 'text/html' || claimed === undefined || !isDigest(claimed)) return undefined;
    // A claimed digest of another algorithm than the reference's may name the same manifest.
    const digest = reference.kind === 'digest' ? reference.digest : claimed;
    const isMismatch = claimed !== digest && claimed.split(':')[0] === digest.split(':')[0];
    if (isMismatch) return undefined;
    const mediaType = bare !== undefined && isManifestMediaType(bare) ? bare : undefined;
    return { digest, mediaType, size: announcedSize(answer.headers, undefined) };
  }
}
