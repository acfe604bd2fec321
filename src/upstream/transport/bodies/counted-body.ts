import type { ResponseBody } from './response-body.ts';
import type { Reporter } from '../reporter.ts';

/** Bytes between two events: a blob of 1 GB makes a thousand events. */
const BATCH_BYTES = 1024 * 1024;

/** A body that reports the number of its bytes while they are read. */
export class CountedBody implements AsyncIterable<readonly Uint8Array[]> {
  readonly #body: ResponseBody;
  readonly #reporter: Reporter;

  constructor(body: ResponseBody, reporter: Reporter) {
    this.#body = body;
    this.#reporter = reporter;
  }

  destroy(error?: Error): void {
    this.#body.destroy(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    let unreported = 0;
    try {
      for await (const pieces of this.#body) {
        for (const { length } of pieces) unreported += length;
        if (unreported >= BATCH_BYTES) {
          this.#reporter.bytes(unreported);
          unreported = 0;
        }
        yield pieces;
      }
    } finally {
      if (unreported > 0) this.#reporter.bytes(unreported);
    }
  }
}
