import type { AnswerBody } from './response-body.ts';
import { encodingOf } from './content-encoding.ts';
import { headerText, type AnswerHeaders } from './headers.ts';
import { MAX_PROBLEM_BYTES, readProblem, type Problem } from './problem.ts';

/** An answer to one request, its body not yet read. */
export class UpstreamResponse {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: AnswerBody;
  /** What was asked; its query may hold a signature. */
  readonly url: URL;
  /** What to add to the message where this is a refusal. */
  note: string | undefined;
  /** Where this may be a refusal of what the configured account was shown by, and not of what was asked for. */
  refusedAs: 'account-refused' | 'token-refused' | undefined;
  #problem: Promise<Problem> | undefined;

  constructor(url: URL, status: number, headers: AnswerHeaders, body: AnswerBody) {
    this.url = url;
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** The first line of a header. */
  header(name: string): string | undefined {
    return headerText(this.headers, name);
  }

  /** What the body of a refusal says; reads at most 256 KiB of it, once. Never throws. */
  problem(): Promise<Problem> {
    this.#problem ??= this.#readProblem();
    return this.#problem;
  }

  async #readProblem(): Promise<Problem> {
    return readProblem(await this.body.head(MAX_PROBLEM_BYTES), encodingOf(this.headers));
  }
}
