import type { AnswerBody } from './response-body.ts';
import type { Reporter } from './reporter.ts';

/** Bytes between two events: a blob of 1 GB makes a thousand. */
const BATCH_BYTES = 1024 * 1024;

/** A body whose bytes are told as they come. */
export class CountedBody implements AsyncIterable<readonly Uint8Array[]> {
  readonly #body: AnswerBody;
  readonly #reporter: Reporter;

  constructor(body: AnswerBody, reporter: Reporter) {
    this.#body = body;
    this.#reporter = reporter;
  }

  destroy(error?: Error): void {
    this.#body.destroy(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    let untold = 0;
    try {
      for await (const pieces of this.#body) {
        for (const { length } of pieces) untold += length;
        if (untold >= BATCH_BYTES) {
          this.#reporter.bytes(untold);
          untold = 0;
        }
        yield pieces;
      }
    } finally {
      if (untold > 0) this.#reporter.bytes(untold);
    }
  }
}
