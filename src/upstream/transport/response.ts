import type { ResponseBody } from './bodies/response-body.ts';
import { encodingOf } from './content-encoding.ts';
import { headerText, type ResponseHeaders } from './headers.ts';
import { MAX_PROBLEM_BYTES, readProblem, type Problem } from './problem.ts';

/** An answer to one request, its body not yet read. */
export class UpstreamResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: ResponseBody;
  /** The URL that was asked; its query may hold a signature. */
  readonly url: URL;
  /** Text to add to the message if this is a refusal. */
  note: string | undefined;
  /** Set if this may be a refusal of the configured account or its token, and not of the content asked for. */
  refusedAs: 'account-refused' | 'token-refused' | undefined;
  #problem: Promise<Problem> | undefined;

  constructor(url: URL, status: number, headers: ResponseHeaders, body: ResponseBody) {
    this.url = url;
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** Returns the first line of a header. */
  header(name: string): string | undefined {
    return headerText(this.headers, name);
  }

  /** Reads the body of a refusal: at most 256 KiB of it, once. Never throws. */
  problem(): Promise<Problem> {
    this.#problem ??= this.#readProblem();
    return this.#problem;
  }

  async #readProblem(): Promise<Problem> {
    return readProblem(await this.body.head(MAX_PROBLEM_BYTES), encodingOf(this.headers));
  }
}
