import type { Clock } from '../../clock.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import { classifyStatus } from '../transport/classify.ts';
import { UpstreamError } from '../error.ts';
import { follow } from '../transport/redirect.ts';
import type { Reporter } from '../transport/reporter.ts';
import { retryAfterMs } from '../transport/retry-after.ts';
import type { Send } from '../transport/transport.ts';
import type { Credentials } from '../credentials/credentials.ts';
import type { BearerDemand } from './demand.ts';
import { isNextWorthTrying, tokenRequests, type TokenRequest } from './token-request.ts';
import { parseTokenResponse, type ReceivedToken } from './token-response.ts';

const MAX_RESPONSE_BYTES = 1024 * 1024;

export interface TokenClientOptions {
  readonly upstream: string;
  readonly clock: Clock;
  readonly send: Send;
  readonly reporter: Reporter;
}

/** Asks token endpoints. All callers that wait for a token share the request, so no caller's signal ends it. */
export class TokenClient {
  readonly #options: TokenClientOptions;

  constructor(options: TokenClientOptions) {
    this.#options = options;
  }

  /** Fetches a token. @throws UpstreamError `denied` if the endpoint refuses with a registry's error document */
  async fetch(demand: BearerDemand, credentials: Credentials | undefined): Promise<ReceivedToken> {
    const [first, ...others] = tokenRequests(demand, credentials);
    return this.#options.reporter.report('token', first.method, () => this.#fetch(first, others));
  }

  async #fetch(first: TokenRequest, others: TokenRequest[]): Promise<ReceivedToken> {
    let request = first;
    for (;;) {
      const answer = await this.#ask(request);
      if (answer.status === 200) return this.#read(answer);
      const next = isNextWorthTrying(request, answer.status) ? others.shift() : undefined;
      if (next === undefined) throw await this.#refusal(answer);
      await answer.body.discard();
      request = next;
    }
  }

  async #ask(request: TokenRequest): Promise<UpstreamResponse> {
    try {
      // A POST has the secret in its body, and a redirect's host must not get it.
      if (request.method === 'POST') return await this.#options.send(request);
      return await this.#askByGet(request);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      throw this.#error(error.failure, error.reason, `no token: ${error.said}`, { cause: error });
    }
  }

  async #askByGet(request: TokenRequest): Promise<UpstreamResponse> {
    const { headers, url } = request;
    return follow(this.#options.upstream, { method: 'GET', url, headers: {} }, (hop) =>
      this.#options.send({ ...hop, headers: hop.url.origin === url.origin ? headers : {} }),
    );
  }

  async #read(answer: UpstreamResponse): Promise<ReceivedToken> {
    using document = await answer.body.document(MAX_RESPONSE_BYTES);
    const body = document.bytes;
    const received = parseTokenResponse(body.toString(), this.#options.clock.now());
    if (received !== undefined) return received;
    throw this.#error('unavailable', 'token', `no token in the answer of ${answer.url.host}`, {
      status: 200,
    });
  }

  async #refusal(answer: UpstreamResponse): Promise<UpstreamError> {
    const { failure, message, isVerdict } = classifyStatus(answer.status, await answer.problem());
    const text = `no token: ${answer.url.host} ${message}`;
    const options = {
      status: answer.status,
      retryAfterMs: retryAfterMs(answer, this.#options.clock),
    };
    // GHCR says here, in a registry's error document, that a repository is missing or private. Yet such a refusal is no
    // verdict of the registry on cached content: GitLab's token endpoint refuses an address for an hour.
    if (isVerdict) return this.#error('denied', 'token', text, options);
    return this.#error(failure === 'throttled' ? failure : 'unavailable', 'token', text, options);
  }

  #error(...[failure, reason, message, options]: ErrorParts): UpstreamError {
    return new UpstreamError(this.#options.upstream, failure, reason, message, options);
  }
}

type ErrorParts = ConstructorParameters<typeof UpstreamError> extends [string, ...infer Rest] ? Rest : never;
