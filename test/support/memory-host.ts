/**
 * The hosts of a registry without a network: answers requests as the test says, and knows which of its answers have
 * been neither read nor discarded.
 *
 *     const hosts = new MemoryHosts((hop) => (hop.headers['authorization'] === undefined ? { status: 401 } : { status: 200 }));
 *     const authorizer = new Authorizer({ send: hosts.send, … });
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HopRequest, Send } from '../../src/upstream/transport/transport.ts';
import type { ResponseBody, HeldDocument } from '../../src/upstream/transport/bodies/response-body.ts';
import { UpstreamResponse } from '../../src/upstream/transport/response.ts';

export interface MemoryAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, sent as JSON. */
  readonly document?: unknown;
}

export class MemoryHosts {
  /** `METHOD host/path` of every request, in order, with its Authorization. */
  readonly asked: string[] = [];
  /** For each request, the number of earlier answers that were open when it came. */
  readonly openBefore: number[] = [];
  /** Number of answers that have been neither read nor discarded. */
  open = 0;
  readonly #answer: (hop: HopRequest) => MemoryAnswer | Promise<MemoryAnswer>;

  constructor(answer: (hop: HopRequest) => MemoryAnswer | Promise<MemoryAnswer>) {
    this.#answer = answer;
  }

  readonly send: Send = async (hop) => {
    const authorization = hop.headers['authorization'];
    this.asked.push(
      `${hop.method} ${hop.url.host}${hop.url.pathname}${authorization === undefined ? '' : ` ${authorization}`}`,
    );
    this.openBefore.push(this.open);
    const { status, headers = {}, document } = await this.#answer(hop);
    const bytes = document === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(document));
    return new UpstreamResponse(hop.url, status, headers, this.#body(bytes));
  };

  /** A body counts as read or discarded one turn later, as with a socket. */
  #body(bytes: Buffer): ResponseBody {
    this.open += 1;
    let isOpen = true;
    const close = async (): Promise<void> => {
      await nextTurn();
      if (isOpen) this.open -= 1;
      isOpen = false;
    };
    const body: Pick<ResponseBody, 'discard' | 'head' | 'document'> = {
      discard: close,
      async head() {
        await close();
        return bytes;
      },
      async document(): Promise<HeldDocument> {
        await close();
        return { bytes, [Symbol.dispose]: () => undefined };
      },
    };
    return body as ResponseBody;
  }
}
