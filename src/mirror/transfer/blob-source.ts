import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { Digest } from '../../oci/digest.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { BlobOptions, ByteRange, Demand, FetchedBlob } from '../../upstream/upstream.ts';
import { pause } from '../../async/deadline.ts';
import { Patience } from './patience.ts';
import { isTransient, SourceRepositories } from './source-repositories.ts';
import { Slowness } from './slowness.ts';
import { StallWatch } from './stall-watch.ts';
import type { Target } from '../target.ts';
import { endedError, shortError, stallError } from './transfer-errors.ts';
import { byteLength, wantedPart } from './wanted-part.ts';

/** How long one place may keep the reader waiting while another place has not been tried since the last byte. */
const STALL_MS = 5_000;

/**
 * Reads one blob's bytes from upstream, in order and each once, across broken transfers. A broken transfer is taken up
 * again at the offset by a new request to the registry (so through a fresh redirect and a fresh token); if upstream
 * ignores Range, the bytes before the offset are read and dropped. If the blob is known to be in several repositories
 * of the upstream, a transfer that breaks or stalls at one is taken up at the next. A transfer that is merely slow is
 * requested anew now and then, and goes on until the new answer is here.
 */
export class BlobSource {
  /** The whole blob's size in bytes, if upstream tells it. */
  readonly size: number | undefined;
  readonly #places: SourceRepositories;
  readonly #patience = new Patience();
  readonly #slowness = new Slowness();
  readonly #digest: Digest;
  readonly #range: ByteRange;
  readonly #options: BlobSourceOptions;
  readonly #ending = new AbortController();
  #isWholeFromFirst = true;
  #answers = 0;
  #mayBeRenewed = true;
  #current: FetchedBlob | undefined;
  #watch: StallWatch | undefined;
  #offset: number;
  /** Since when the reader has been waiting for a byte, by the monotonic clock. */
  #waitingSince: number;

  private constructor(
    target: Target,
    digest: Digest,
    range: ByteRange,
    first: FetchedBlob,
    options: BlobSourceOptions,
  ) {
    this.size = first.size;
    this.#places = new SourceRepositories(target);
    this.#digest = digest;
    this.#range = range;
    this.#options = options;
    this.#current = first;
    this.#offset = range.start;
    this.#waitingSince = options.clock.monotonic();
  }

  /**
   * Asks upstream, and resolves once its headers are here.
   * @throws UpstreamError
   */
  static async open(
    target: Target,
    digest: Digest,
    range: ByteRange,
    options: BlobSourceOptions,
  ): Promise<BlobSource> {
    const first = await request(target, digest, range, options);
    return new BlobSource(target, digest, range, first, options);
  }

  /** Position in the blob of the next byte that `pieces` will give. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether all bytes that `pieces` has given came from the first place. */
  get isWholeFromFirst(): boolean {
    return this.#isWholeFromFirst;
  }

  /** Whether the bytes that `pieces` has given were put together from the answers to several requests. */
  get isPutTogether(): boolean {
    return this.#answers > 1;
  }

  /** Adds a place that has the blob, too: if the present transfer breaks or stalls, it goes on from there. */
  join(target: Target): void {
    this.#places.add(target);
    this.#watch?.limit(this.#stallMs);
  }

  /**
   * Yields the bytes of the range, each time all that have arrived. Ends when upstream has sent them all; they are not
   * verified.
   * @throws UpstreamError once it is of no use to take the transfer up again
   */
  async *pieces(): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    for (;;) {
      const before = this.#offset;
      const error = yield* this.#transfer();
      if (error === undefined) return;
      this.#patience.broke(this.#offset > before);
      if (this.#isHopeless || !this.#turn(error)) throw error;
      await pause(this.#options.clock, this.#patience.waitMs(this.#places.count), this.#ended);
      if (this.#ended.aborted) throw error;
      this.#tellResumed();
    }
  }

  /** Ends the transfer; `pieces` need not have been read. */
  destroy(): void {
    this.#ending.abort();
    this.#current?.body.destroy();
  }

  get #ended(): AbortSignal {
    const { signal } = this.#options;
    return signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
  }

  /** After a round in vain each place gets its whole time: all of them may be slow. */
  get #stallMs(): number | undefined {
    const { count } = this.#places;
    return count > 1 && this.#patience.roundsInVain(count) === 0 ? STALL_MS : undefined;
  }

  /** Goes on to the next place, and drops one that refuses the blob for good. @returns whether there is a next one */
  #turn(error: UpstreamError): boolean {
    if (isTransient(error)) {
      this.#places.goOn();
      return true;
    }
    this.#patience.forgive();
    return this.#places.drop();
  }

  /** Reads one transfer, to its end or its break. */
  async *#transfer(): AsyncGenerator<readonly Uint8Array[], UpstreamError | undefined, undefined> {
    let stall: UpstreamError | undefined;
    const attempt = new AbortController();
    this.#watch = new StallWatch(this.#options.clock, () => {
      stall = stallError(this.#upstream, STALL_MS);
      this.#current?.body.destroy(stall);
      attempt.abort();
    });
    try {
      this.#watch.limit(this.#stallMs);
      yield* this.#receive(attempt.signal, this.#watch);
      const isShort = this.#end !== undefined && this.#offset < this.#end;
      return isShort ? shortError(this.#upstream, this.#digest, this.#offset) : undefined;
    } catch (error) {
      if (stall !== undefined) return stall;
      if (error instanceof UpstreamError) return error;
      throw error;
    } finally {
      this.#watch.end();
      this.#watch = undefined;
      this.#current?.body.destroy();
      this.#current = undefined;
    }
  }

  async *#receive(
    signal: AbortSignal,
    watch: StallWatch,
  ): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    const ended = AbortSignal.any([signal, this.#ended]);
    watch.begin();
    let next = this.#current ?? (await this.#ask(this.#places.current, { signal: ended }));
    for (;;) {
      this.#current = next;
      this.#answers += 1;
      // If the transfer was ended while the answer came in, there was no body to destroy yet.
      if (ended.aborted) throw endedError(this.#upstream, this.#digest);
      const better = yield* this.#read(next, watch, ended);
      if (better === undefined) return;
      next = better;
      watch.begin();
    }
  }

  /** @returns another answer to go on with, if this one was slow; undefined at its end */
  async *#read(
    { body, start }: FetchedBlob,
    watch: StallWatch,
    ended: AbortSignal,
  ): AsyncGenerator<readonly Uint8Array[], FetchedBlob | undefined, undefined> {
    const { clock } = this.#options;
    let position = start;
    let since = clock.monotonic();
    for await (const pieces of body) {
      const now = clock.monotonic();
      const wanted = wantedPart(pieces, position, { start: this.#offset, end: this.#range.end });
      const bytes = byteLength(pieces);
      position += bytes;
      const isSlow = this.#slowness.arrived(bytes, now - since, now);
      if (wanted.length > 0) {
        this.#offset += byteLength(wanted);
        if (!this.#places.isAtFirst) this.#isWholeFromFirst = false;
        watch.end();
        yield wanted;
        this.#waitingSince = clock.monotonic();
      }
      const better = isSlow ? await this.#renew(ended) : undefined;
      if (better !== undefined) return better;
      since = clock.monotonic();
      if (wanted.length > 0) watch.begin();
    }
    return undefined;
  }

  /**
   * Requests the rest of a slow transfer anew. The present one is given up only for an answer that goes on at its
   * offset: if upstream refuses, or ignores Range, a slow transfer is better than none.
   */
  async #renew(ended: AbortSignal): Promise<FetchedBlob | undefined> {
    if (!this.#mayBeRenewed || this.#offset === this.#end) return undefined;
    let renewed: FetchedBlob;
    try {
      // This transfer holds a turn. Waiting for a second could take for ever: other transfers may do the same.
      renewed = await this.#ask(this.#places.next, { signal: ended, mayWait: false });
    } catch (error) {
      if (error instanceof UpstreamError && !ended.aborted) return undefined;
      throw error;
    }
    if (renewed.start !== this.#offset) {
      this.#mayBeRenewed = false;
      renewed.body.destroy();
      return undefined;
    }
    this.#places.goOn();
    this.#tellResumed();
    return renewed;
  }

  #ask(target: Target, options: Pick<BlobOptions, 'signal' | 'mayWait'>): Promise<FetchedBlob> {
    const range = { start: this.#offset, end: this.#range.end };
    return request(target, this.#digest, range, { ...this.#options, ...options });
  }

  get #isHopeless(): boolean {
    const silentMs = this.#options.clock.monotonic() - this.#waitingSince;
    return this.#patience.isAtAnEnd(this.#places.count, silentMs);
  }

  #tellResumed(): void {
    this.#options.events.emit({
      kind: 'fill-resumed',
      upstream: this.#upstream,
      digest: this.#digest,
      offset: this.#offset,
    });
  }

  /** Position after the last byte, if that is known. */
  get #end(): number | undefined {
    return this.#range.end ?? this.size;
  }

  get #upstream(): string {
    return this.#places.current.key.registry;
  }
}

export interface BlobSourceOptions {
  readonly clock: Clock;
  readonly events: Events;
  readonly signal?: AbortSignal | undefined;
  /** The demand for the blob. Absent: that of one client that is not known. */
  readonly demand?: Demand | undefined;
  /** See `BlobOptions.describedSize`. */
  readonly describedSize?: number | undefined;
}

function request(
  target: Target,
  digest: Digest,
  range: ByteRange,
  { demand, signal, describedSize, mayWait = true }: Omit<BlobOptions, 'range'>,
): Promise<FetchedBlob> {
  const wanted = range.start === 0 && range.end === undefined ? undefined : range;
  const options = { range: wanted, demand, signal, describedSize, mayWait };
  return target.upstream.blob(target.key.repository, digest, options);
}
