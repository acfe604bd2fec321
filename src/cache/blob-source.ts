import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/error.ts';
import type { ByteRange, FetchedBlob } from '../upstream/upstream.ts';
import { pause } from './deadline.ts';
import type { Target } from './target.ts';

/** How often a transfer may break without a byte of progress since the last break. */
const MAX_BREAKS_WITHOUT_PROGRESS = 5;
/** How often one transfer is taken up again in all. */
const MAX_BREAKS = 20;
const FIRST_WAIT_MS = 500;
/**
 * How long clients are kept waiting for the next byte, once a transfer has been taken up again in vain: who stalls
 * costs a whole deadline each time, and a client that is told can go elsewhere.
 */
const MAX_SILENCE_MS = 60_000;

/**
 * One blob's bytes from upstream, in order and each once, across broken transfers: what breaks is taken up
 * again at the offset by a new request to the registry (so through a fresh redirect and a fresh token), and
 * where upstream ignores Range, what has been had already is read past.
 */
export class BlobSource {
  /** The whole blob's size, where upstream tells it. */
  readonly size: number | undefined;
  readonly #target: Target;
  readonly #digest: Digest;
  readonly #range: ByteRange;
  readonly #options: BlobSourceOptions;
  readonly #ending = new AbortController();
  #current: FetchedBlob | undefined;
  #offset: number;
  /** Since when somebody has been waiting for a byte, by the monotonic clock. */
  #waitingSince: number;

  private constructor(
    target: Target,
    digest: Digest,
    range: ByteRange,
    first: FetchedBlob,
    options: BlobSourceOptions,
  ) {
    this.size = first.size;
    this.#target = target;
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
    const first = await request(target, digest, range, options.signal);
    return new BlobSource(target, digest, range, first, options);
  }

  /** Position in the blob of the next byte that `chunks` will give. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * The bytes of the range. Ends when upstream has sent them all, which is not yet to say that they are right.
   * @throws UpstreamError once taking up again is of no use
   */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    let breaks = 0;
    let withoutProgress = 0;
    for (;;) {
      const before = this.#offset;
      const error = yield* this.#transfer();
      if (error === undefined) return;
      breaks += 1;
      withoutProgress = this.#offset > before ? 0 : withoutProgress + 1;
      if (breaks > MAX_BREAKS || this.#isHopeless(withoutProgress) || !isTransient(error)) throw error;
      await pause(this.#options.clock, waitMs(withoutProgress), this.#ended);
      if (this.#ended.aborted) throw error;
      this.#options.events.emit({
        kind: 'fill-resumed',
        upstream: this.#target.key.upstream,
        digest: this.#digest,
        offset: this.#offset,
      });
    }
  }

  /** Ends the transfer; `chunks` need not have been read. */
  destroy(): void {
    this.#ending.abort();
    this.#current?.body.destroy();
  }

  get #ended(): AbortSignal {
    const { signal } = this.#options;
    return signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
  }

  /** One transfer, to its end or its break. */
  async *#transfer(): AsyncGenerator<Uint8Array, UpstreamError | undefined, undefined> {
    try {
      const { body, start } = (this.#current ??= await request(
        this.#target,
        this.#digest,
        { start: this.#offset, end: this.#range.end },
        this.#options.signal,
      ));
      let position = start;
      for await (const chunk of body) {
        const wanted = this.#cut(chunk, position);
        position += chunk.length;
        if (wanted.length === 0) continue;
        this.#offset += wanted.length;
        yield wanted;
        this.#waitingSince = this.#options.clock.monotonic();
      }
      return this.#isShort() ? this.#shortError() : undefined;
    } catch (error) {
      if (error instanceof UpstreamError) return error;
      throw error;
    } finally {
      this.#current?.body.destroy();
      this.#current = undefined;
    }
  }

  /** The part of a chunk at `position` that lies at or behind the offset and within the range. */
  #cut(chunk: Uint8Array, position: number): Uint8Array {
    const skip = Math.max(0, this.#offset - position);
    const end = this.#range.end === undefined ? chunk.length : this.#range.end - position;
    return skip === 0 && end >= chunk.length ? chunk : chunk.subarray(skip, Math.max(skip, end));
  }

  #isHopeless(breaksWithoutProgress: number): boolean {
    const silentMs = this.#options.clock.monotonic() - this.#waitingSince;
    return (
      breaksWithoutProgress >= MAX_BREAKS_WITHOUT_PROGRESS ||
      (breaksWithoutProgress > 0 && silentMs >= MAX_SILENCE_MS)
    );
  }

  #isShort(): boolean {
    const end = this.#range.end ?? this.size;
    return end !== undefined && this.#offset < end;
  }

  #shortError(): UpstreamError {
    return new UpstreamError(
      this.#target.key.upstream,
      'unavailable',
      'reset',
      `the body of ${this.#digest} ended at byte ${this.#offset}, before its announced end`,
    );
  }
}

export interface BlobSourceOptions {
  readonly clock: Clock;
  readonly events: Events;
  readonly signal?: AbortSignal | undefined;
}

/** At once after progress; else twice as long each time: an upstream that restarts is back in seconds. */
function waitMs(breaksWithoutProgress: number): number {
  return breaksWithoutProgress === 0 ? 0 : FIRST_WAIT_MS * 2 ** (breaksWithoutProgress - 1);
}

function request(
  target: Target,
  digest: Digest,
  range: ByteRange,
  signal: AbortSignal | undefined,
): Promise<FetchedBlob> {
  const wanted = range.start === 0 && range.end === undefined ? undefined : range;
  return target.upstream.blob(target.key.repository, digest, { range: wanted, signal });
}

function isTransient(error: UpstreamError): boolean {
  return error.failure === 'unavailable' && error.reason !== 'cancelled' && error.reason !== 'offline';
}
