/** Bytes a second. What has worked for years over the slowest of lines is faster. */
const SLOW = 16 * 1024;
/** For so long a transfer has to be slow. */
const WINDOW_MS = 60_000;
/** So often a slow transfer is asked for anew: upstream, or the way to it, may have a better one to give. */
const RENEW_EVERY_MS = 5 * 60_000;

/**
 * Tells when a transfer has been so slow that it is worth asking for anew. Only waiting counts: a slow disk is no slow
 * upstream.
 */
export class Slowness {
  #bytes = 0;
  #waitedMs = 0;
  #renewedAt = -Infinity;

  /**
   * @param bytes that have arrived
   * @param waitedMs how long they were waited for
   * @param now the monotonic clock, milliseconds
   * @returns whether the transfer is to be asked for anew
   */
  arrived(bytes: number, waitedMs: number, now: number): boolean {
    this.#bytes += bytes;
    this.#waitedMs += waitedMs;
    if (this.#waitedMs < WINDOW_MS) return false;
    const isSlow = this.#bytes * 1_000 < SLOW * this.#waitedMs;
    this.#bytes = 0;
    this.#waitedMs = 0;
    if (!isSlow || now - this.#renewedAt < RENEW_EVERY_MS) return false;
    this.#renewedAt = now;
    return true;
  }
}
