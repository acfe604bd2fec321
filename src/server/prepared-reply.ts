import type { CacheHeaders } from './cache-privacy.ts';
import { withConstantHeaders } from './common-headers.ts';
import type { ReadyReply, Reply } from './reply.ts';

/** A reply without the headers that differ from request to request. */
export class PreparedReply {
  readonly reply: ReadyReply;
  /** By what else they depend on. Lazy, since most manifests are asked for by clients of one kind. */
  #headers: Map<string | undefined, readonly string[]> | undefined;

  constructor(reply: ReadyReply) {
    this.reply = reply;
  }

  /**
   * Returns the headers that do not differ between the requests of a kind of clients, flat: names and values in turn.
   * They are made once for each kind.
   * @param privacy what distinguishes the kinds, from `privacyOf`
   */
  headersFor(privacy: CacheHeaders | undefined): readonly string[] {
    this.#headers ??= new Map();
    // By value: an object that is made anew for each request would make the headers anew, and keep all of them.
    const kind = privacy?.['Cache-Control'];
    const known = this.#headers.get(kind);
    if (known !== undefined) return known;
    const headers = flat(withConstantHeaders(this.reply.headers, privacy));
    this.#headers.set(kind, headers);
    return headers;
  }
}

function flat(headers: Reply['headers']): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
}
