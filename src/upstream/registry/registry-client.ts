import type { Clock } from '../../clock.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import { classifyStatus } from '../transport/classify.ts';
import { UpstreamError } from '../error.ts';
import { parseRateLimit } from '../transport/rate-limit.ts';
import { follow } from '../transport/redirect.ts';
import type { Reporter, RequestTarget } from '../transport/reporter.ts';
import { retryAfterMs } from '../transport/retry-after.ts';
import type { HopRequest } from '../transport/transport.ts';

/** Statuses by which an object store refuses a signature. */
const SIGNATURE_REFUSED: ReadonlySet<number> = new Set([400, 401, 403]);

/**
 * Statuses by which an object store refuses. If a store lacks the object, that is no verdict of the registry, which
 * named it.
 */
const STORE_REFUSED: ReadonlySet<number> = new Set([...SIGNATURE_REFUSED, 404, 410]);

/** One question to the registry. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD';
  /** Undefined: the request is about the registry itself, and its path is the one below `/v2/`. */
  readonly repository: RepositoryName | undefined;
  /** Path below the repository (`tags/list`), made from validated parts, so that nothing in it needs encoding. */
  readonly path: string;
  readonly query?: URLSearchParams | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly target: RequestTarget;
  /** Whether the content may be empty, so that 204 is a good answer. */
  readonly mayBeEmpty?: boolean | undefined;
  /** See `HopRequest.isLarge`. */
  readonly isLarge?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RegistryClientOptions {
  readonly upstream: string;
  readonly url: URL;
  readonly clock: Clock;
  readonly authorizer: Authorizer;
  readonly reporter: Reporter;
  /** Whether upstream counts pulls: see `Quirks.countsPulls`. */
  readonly countsPulls: boolean;
}

/** Asks the registry, through its authentication and redirects. */
export class RegistryClient {
  readonly #options: RegistryClientOptions;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
  }

  /**
   * Asks, through redirects. @returns an answer of status 200 or 206, or 204 if the content may be empty
   * @throws UpstreamError for every other status; its reason is `redirect` if the refusal came from a host that the
   *   registry had redirected to
   */
  async request(request: RegistryRequest): Promise<UpstreamResponse> {
    const { reporter, upstream } = this.#options;
    try {
      return await reporter.report(request.target, request.method, () => this.#answer(request));
    } catch (error) {
      if (error instanceof UpstreamError || request.signal?.aborted !== true) throw error;
      const message = 'the request was given up';
      throw new UpstreamError(upstream, 'unavailable', 'cancelled', message, { cause: error });
    }
  }

  async #answer(request: RegistryRequest): Promise<UpstreamResponse> {
    const hop = this.#firstHop(request);
    let answer = await this.#follow(hop);
    const maySignatureBeOld = request.method === 'GET' && SIGNATURE_REFUSED.has(answer.status);
    if (maySignatureBeOld && (await this.#isRefusedElsewhere(answer))) {
      // The signed URL has expired, or was made for another client: only the registry can make a new one.
      await answer.body.discard();
      answer = await this.#follow(hop);
    }
    if (answer.status === 200 || answer.status === 206) return answer;
    if (answer.status === 204 && request.mayBeEmpty === true) return answer;
    throw await this.#refusal(answer, request);
  }

  #firstHop({ method, repository, path, query, headers, isLarge, signal }: RegistryRequest): HopRequest {
    const url = new URL(this.#options.url);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/v2/${pathOf({ repository, path })}`;
    url.search = query?.toString() ?? '';
    return { method, url, headers: headers ?? {}, repository, isLarge, signal };
  }

  async #follow(first: HopRequest): Promise<UpstreamResponse> {
    return follow(this.#options.upstream, first, async (hop) => {
      const answer = await this.#options.authorizer.send(hop);
      const tellsPulls = this.#options.countsPulls && this.#isOwn(answer);
      const rateLimit = tellsPulls ? parseRateLimit(answer.headers) : undefined;
      if (rateLimit !== undefined) this.#options.reporter.rateLimit(rateLimit);
      return answer;
    });
  }

  #isOwn(answer: UpstreamResponse): boolean {
    return answer.url.origin === this.#options.url.origin;
  }

  /** Whether an object store refused the signed URL. Another registry's refusal is about the image instead. */
  async #isRefusedElsewhere(answer: UpstreamResponse): Promise<boolean> {
    if (this.#isOwn(answer) || !STORE_REFUSED.has(answer.status)) return false;
    if (answer.header('www-authenticate') !== undefined) return false;
    return (await answer.problem()).codes.length === 0;
  }

  async #refusal(answer: UpstreamResponse, request: RegistryRequest): Promise<UpstreamError> {
    const { upstream, clock } = this.#options;
    const isElsewhere = await this.#isRefusedElsewhere(answer);
    const problem = await answer.problem();
    const classified = classifyStatus(answer.status, problem);
    const { failure, message, isVerdict } = classified;
    const reason = answer.refusedAs ?? classified.reason;
    const where = this.#isOwn(answer) ? '' : `${answer.url.host} `;
    const note = answer.note === undefined ? '' : ` (${answer.note})`;
    const text = `${request.method} ${pathOf(request)}: ${where}${message}${note}`;
    const { codes } = problem;
    const options = { status: answer.status, codes, retryAfterMs: retryAfterMs(answer, clock) };
    if (isElsewhere) return new UpstreamError(upstream, 'unavailable', 'redirect', text, options);
    if (answer.refusedAs === undefined) {
      return new UpstreamError(upstream, failure, reason, text, { ...options, isVerdict });
    }
    // A refusal of our account is never about the content that was asked for.
    const error = new UpstreamError(upstream, 'denied', reason, text, options);
    if (reason === 'account-refused') this.#options.authorizer.standing.refused(error);
    return error;
  }
}

function pathOf({ repository, path }: Pick<RegistryRequest, 'repository' | 'path'>): string {
  return repository === undefined ? path : `${repository}/${path}`;
}
