import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../oci/documents/json.ts';
import { MediaType, bareMediaType } from '../../oci/media-type.ts';
import { mergeReferrers, referrersTag } from '../../oci/referrers.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { RegistryClient } from './registry-client.ts';
import { requireIdentity } from '../transport/content-encoding.ts';
import { UpstreamError } from '../error.ts';
import type { ManifestFetcher } from './manifest-fetcher.ts';
import { nextQuery } from './next-query.ts';
import type { Parser } from './parsing/parser.ts';
import { readDocument } from './read-document.ts';
import type { CallOptions } from '../upstream.ts';
import { Cursors, walkPages } from './walk.ts';

export interface ReferrerListerOptions {
  readonly upstream: string;
  readonly client: RegistryClient;
  readonly manifests: ManifestFetcher;
  readonly clock: Clock;
  readonly parser: Parser;
}

type QueryOptions = CallOptions & { readonly artifactType?: string | undefined };

const MAX_PAGES = 50;

/** Most bytes of all pages of one list; each page is bounded like a manifest. */
const MAX_LIST_BYTES = 8 * 1024 * 1024;

interface Page {
  readonly descriptors: readonly Descriptor[];
  /** Size of the document. */
  readonly bytes: number;
  readonly next: URLSearchParams | undefined;
}

/** How long a repository counts as one without a referrers API: a new signature must not wait for long. */
const UNSUPPORTED_MS = 30_000;

/**
 * How long an API that has answered counts as present, although other answers say that there is none: longer than most
 * outages. Afterwards a registry that has lost its API for good is asked by the tag schema.
 */
const SUPPORTED_MS = 24 * 3600_000;

/** Most repositories remembered, since clients choose them. */
const MAX_REPOSITORIES = 1000;

/** Statuses if there is no API, or none for this subject: Quay answers 400 MANIFEST_INVALID for an unknown subject. */
const NO_API: ReadonlySet<number | undefined> = new Set([400, 404, 405, 406, 501]);

/**
 * Whether there is no API. By 400 the API itself rejects the subject. By these codes it says that it does not have the
 * repository or the subject.
 */
function saysThereIsNoApi({ status, codes }: UpstreamError): boolean {
  return status !== 400 && !codes.some((code) => code === 'NAME_UNKNOWN' || code === 'MANIFEST_UNKNOWN');
}

/** Whether it may be the index. Some registries send it as plain JSON, or without a type: then its content decides. */
function isDocument(answer: UpstreamResponse): boolean {
  const type = bareMediaType(answer.header('content-type')) ?? 'application/json';
  return type === MediaType.ociIndex || type === 'application/json';
}

function firstQuery({ artifactType }: QueryOptions): URLSearchParams {
  return new URLSearchParams(artifactType === undefined ? {} : { artifactType });
}

/** Lists referrers of an upstream (distribution-spec, "Listing Referrers" and "Referrers Tag Schema"). */
export class ReferrerLister {
  readonly #options: ReferrerListerOptions;
  readonly #unsupported: LRUCache<string, true>;
  readonly #supported: LRUCache<string, true>;

  constructor(options: ReferrerListerOptions) {
    this.#options = options;
    this.#unsupported = repositoriesFor(UNSUPPORTED_MS, options.clock);
    this.#supported = repositoriesFor(SUPPORTED_MS, options.clock);
  }

  /** See `Upstream.referrers`. */
  async list(
    repository: RepositoryName,
    subject: Digest,
    options: QueryOptions = {},
  ): Promise<readonly Descriptor[]> {
    const known = this.#unsupported.has(repository)
      ? undefined
      : await this.#byApi(repository, subject, options);
    if (known !== undefined) return known;
    try {
      return await this.#byTag(repository, subject, options);
    } catch (error) {
      // "No API" may have come from something else than the registry, so it is not believed any longer.
      this.#unsupported.delete(repository);
      throw error;
    }
  }

  /** @returns undefined if there is no API */
  async #byApi(
    repository: RepositoryName,
    subject: Digest,
    options: QueryOptions,
  ): Promise<Descriptor[] | undefined> {
    const { upstream, clock } = this.#options;
    const walk = { upstream, what: `the referrers of ${repository}@${subject}` };
    return walkPages({ ...walk, clock, signal: options.signal }, async (signal) => {
      const cursors = new Cursors(walk);
      const pages: Page[] = [];
      let query = firstQuery(options);
      for (;;) {
        cursors.add(query.toString());
        const page = await this.#page(repository, subject, query, { signal });
        if (page === undefined) return undefined;
        pages.push(page);
        this.#requireBounded(pages);
        const { next } = page;
        if (next === undefined || next.toString() === query.toString()) break;
        query = next;
      }
      return mergeReferrers(...pages.map(({ descriptors }) => descriptors));
    });
  }

  async #page(
    repository: RepositoryName,
    subject: Digest,
    query: URLSearchParams,
    options: CallOptions,
  ): Promise<Page | undefined> {
    const answer = await this.#ask(repository, subject, query, options);
    if (answer === undefined) return undefined;
    using document = await answer.body.document(MAX_MANIFEST_BYTES);
    const next = nextQuery(this.#options.upstream, answer);
    const { bytes } = document;
    const descriptors = await this.#parse(bytes);
    this.#supported.set(repository, true);
    return { descriptors, bytes: bytes.length, next };
  }

  #requireBounded(pages: readonly Page[]): void {
    const total = pages.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total > MAX_LIST_BYTES)
      throw this.#contentError(`has more than ${MAX_LIST_BYTES} bytes of referrers`);
    if (pages.length > MAX_PAGES) throw this.#contentError(`has more than ${MAX_PAGES} pages of referrers`);
  }

  async #ask(
    repository: RepositoryName,
    subject: Digest,
    query: URLSearchParams,
    { signal }: CallOptions,
  ): Promise<UpstreamResponse | undefined> {
    const path = `referrers/${subject}`;
    const headers = { accept: MediaType.ociIndex };
    try {
      const request = {
        method: 'GET',
        repository,
        path,
        query,
        headers,
        target: 'referrers',
        signal,
      } as const;
      const answer = await this.#options.client.request(request);
      requireIdentity(this.#options.upstream, answer);
      // Something other than the registry's API has answered, such as a page for people.
      if (isDocument(answer)) return answer;
      answer.body.destroy();
      if (this.#supported.has(repository)) throw this.#contentError('sent something else than referrers');
    } catch (error) {
      if (!(error instanceof UpstreamError) || !NO_API.has(error.status)) throw error;
      // Without the registry's own verdict, an API that was there is not gone: something else answers in its place.
      if (!error.isVerdict && this.#supported.has(repository)) throw error;
      if (saysThereIsNoApi(error)) this.#unsupported.set(repository, true);
    }
    return undefined;
  }

  async #byTag(
    repository: RepositoryName,
    subject: Digest,
    { signal }: CallOptions,
  ): Promise<readonly Descriptor[]> {
    const reference = { kind: 'tag', tag: referrersTag(subject) } as const;
    try {
      const index = await this.#options.manifests.fetch(repository, reference, { signal });
      return await this.#parse(index.bytes);
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'absent' && error.isVerdict) return [];
      throw error;
    }
  }

  async #parse(bytes: Uint8Array): Promise<Descriptor[]> {
    const { upstream, parser } = this.#options;
    const reading = await readDocument(upstream, parser, { name: 'referrers', args: [bytes] }, bytes.length);
    if ('read' in reading) return reading.read;
    throw this.#contentError(`sent referrers that are none: ${reading.problem}`);
  }

  #contentError(message: string): UpstreamError {
    return new UpstreamError(this.#options.upstream, 'unavailable', 'content', message, { status: 200 });
  }
}

/** Makes a set of repositories, each of which stays in it for `ttl` milliseconds. */
function repositoriesFor(ttl: number, clock: Clock): LRUCache<string, true> {
  // To lru-cache, a start at 0 means that there is no limit.
  const perf = { now: () => clock.monotonic() + 1 };
  return new LRUCache({ max: MAX_REPOSITORIES, ttl, ttlResolution: 0, perf });
}
