import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/error.ts';
import type { ByteRange, FetchedBlob } from '../upstream/upstream.ts';
import { pause } from './deadline.ts';
import { StallWatch } from './stall-watch.ts';
import { isSameRepository, type Target } from './target.ts';

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
/** How long one place may keep everybody waiting while there is another one that has not been tried since. */
const STALL_MS = 5_000;

/**
 * One blob's bytes from upstream, in order and each once, across broken transfers: what breaks is taken up
 * again at the offset by a new request to the registry (so through a fresh redirect and a fresh token), and
 * where upstream ignores Range, what has been had already is read past. Where the blob is known to be in several
 * repositories of the upstream, what breaks or stalls at one is taken up at the next.
 */
export class BlobSource {
  /** The whole blob's size, where upstream tells it. */
  readonly size: number | undefined;
  /** Where it can be had; the one at `#at` is asked. */
  readonly #targets: Target[];
  readonly #digest: Digest;
  readonly #range: ByteRange;
  readonly #options: BlobSourceOptions;
  readonly #ending = new AbortController();
  readonly #first: Target;
  #at = 0;
  #isWholeFromFirst = true;
  #current: FetchedBlob | undefined;
  #watch: StallWatch | undefined;
  #breaksWithoutProgress = 0;
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
    this.#targets = [target];
    this.#first = target;
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

  /** Position in the blob of the next byte that `pieces` will give. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether no byte that `pieces` has given came from another place than the first one. */
  get isWholeFromFirst(): boolean {
    return this.#isWholeFromFirst;
  }

  /** The blob can be had there, too: where the present transfer breaks or stalls, this is where it goes on. */
  join(target: Target): void {
    if (this.#targets.some((known) => isSameRepository(known, target))) return;
    this.#targets.splice(this.#at + 1, 0, target);
    this.#watch?.limit(this.#stallMs);
  }

  /**
   * The bytes of the range, each time all that are here. Ends when upstream has sent them all, which is not yet to say that they are right.
   * @throws UpstreamError once taking up again is of no use
   */
  async *pieces(): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    for (let breaks = 1; ; breaks += 1) {
      const before = this.#offset;
      const error = yield* this.#transfer();
      if (error === undefined) return;
      this.#breaksWithoutProgress = this.#offset > before ? 0 : this.#breaksWithoutProgress + 1;
      if (breaks > MAX_BREAKS || this.#isHopeless() || !this.#turn(error)) throw error;
      await pause(this.#options.clock, waitMs(this.#roundsWithoutProgress), this.#ended);
      if (this.#ended.aborted) throw error;
      this.#options.events.emit({
        kind: 'fill-resumed',
        upstream: this.#target.key.upstream,
        digest: this.#digest,
        offset: this.#offset,
      });
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

  get #target(): Target {
    const target = this.#targets[this.#at];
    if (target === undefined) throw new Error('there is no target to ask');
    return target;
  }

  /** How often every place was asked in vain since the last byte. */
  get #roundsWithoutProgress(): number {
    return Math.floor(this.#breaksWithoutProgress / this.#targets.length);
  }

  /** After a round in vain each gets its whole time: all may be slow. */
  get #stallMs(): number | undefined {
    return this.#targets.length > 1 && this.#roundsWithoutProgress === 0 ? STALL_MS : undefined;
  }

  /** Goes on to the next place, and leaves out for good the one that will not give it. @returns whether there is one */
  #turn(error: UpstreamError): boolean {
    if (isTransient(error)) {
      this.#at += 1;
    } else {
      if (this.#targets.length === 1) return false;
      this.#targets.splice(this.#at, 1);
      this.#breaksWithoutProgress = 0;
    }
    this.#at %= this.#targets.length;
    return true;
  }

  /** One transfer, to its end or its break. */
  async *#transfer(): AsyncGenerator<readonly Uint8Array[], UpstreamError | undefined, undefined> {
    let stall: UpstreamError | undefined;
    const attempt = new AbortController();
    this.#watch = new StallWatch(this.#options.clock, () => {
      stall = this.#stallError();
      this.#current?.body.destroy(stall);
      attempt.abort();
    });
    try {
      this.#watch.limit(this.#stallMs);
      yield* this.#receive(attempt.signal, this.#watch);
      return this.#isShort() ? this.#shortError() : undefined;
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
    watch.begin();
    const rest = { start: this.#offset, end: this.#range.end };
    const ended = AbortSignal.any([signal, this.#ended]);
    this.#current ??= await request(this.#target, this.#digest, rest, ended);
    // Who ended this while the answer came in had no body to destroy yet.
    if (ended.aborted) throw this.#endedError();
    const { body, start } = this.#current;
    let position = start;
    for await (const pieces of body) {
      const wanted: Uint8Array[] = [];
      for (const piece of pieces) {
        const part = this.#cut(piece, position);
        position += piece.length;
        this.#offset += part.length;
        if (part.length > 0) wanted.push(part);
      }
      if (wanted.length === 0) continue;
      if (this.#target !== this.#first) this.#isWholeFromFirst = false;
      watch.end();
      yield wanted;
      this.#waitingSince = this.#options.clock.monotonic();
      watch.begin();
    }
  }

  /** The part of a piece at `position` that lies at or behind the offset and within the range. */
  #cut(piece: Uint8Array, position: number): Uint8Array {
    const skip = Math.max(0, this.#offset - position);
    const end = this.#range.end === undefined ? piece.length : this.#range.end - position;
    return skip === 0 && end >= piece.length ? piece : piece.subarray(skip, Math.max(skip, end));
  }

  #isHopeless(): boolean {
    const silentMs = this.#options.clock.monotonic() - this.#waitingSince;
    return (
      this.#roundsWithoutProgress >= MAX_BREAKS_WITHOUT_PROGRESS ||
      (this.#breaksWithoutProgress > 0 && silentMs >= MAX_SILENCE_MS)
    );
  }

  #isShort(): boolean {
    const end = this.#range.end ?? this.size;
    return end !== undefined && this.#offset < end;
  }

  #stallError(): UpstreamError {
    return new UpstreamError(
      this.#target.key.upstream,
      'unavailable',
      'timeout',
      `sent nothing for ${STALL_MS} ms, and the blob can be had elsewhere`,
    );
  }

  #endedError(): UpstreamError {
    const { upstream } = this.#target.key;
    return new UpstreamError(
      upstream,
      'unavailable',
      'cancelled',
      `the transfer of ${this.#digest} was ended`,
    );
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

/** At once while a place is left to try; else twice as long each time: an upstream that restarts is back in seconds. */
function waitMs(roundsWithoutProgress: number): number {
  return roundsWithoutProgress === 0 ? 0 : FIRST_WAIT_MS * 2 ** (roundsWithoutProgress - 1);
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
