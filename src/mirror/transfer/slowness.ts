/** Rate below which a transfer is slow. Transfers that have worked for years over the slowest lines are faster. */
const SLOW_BYTES_A_SECOND = 16 * 1024;
/** Time of waiting over which the rate is measured. */
const WINDOW_MS = 60_000;
/** Interval at which a slow transfer is requested anew: upstream, or another way to it, may be faster. */
const RENEW_EVERY_MS = 5 * 60_000;

/**
 * Decides when a transfer has been so slow that it is worth requesting anew. Only the time of waiting counts: a slow
 * disk does not make a slow upstream.
 */
export class Slowness {
  #bytes = 0;
  #waitedMs = 0;
  #renewedAt = -Infinity;

  /**
   * @param bytes number of bytes that have arrived
   * @param waitedMs how long they were waited for
   * @param now the monotonic clock, milliseconds
   * @returns whether to request the transfer anew
   */
  arrived(bytes: number, waitedMs: number, now: number): boolean {
    this.#bytes += bytes;
    this.#waitedMs += waitedMs;
    if (this.#waitedMs < WINDOW_MS) return false;
    const isSlow = this.#bytes * 1_000 < SLOW_BYTES_A_SECOND * this.#waitedMs;
    this.#bytes = 0;
    this.#waitedMs = 0;
    if (!isSlow || now - this.#renewedAt < RENEW_EVERY_MS) return false;
    this.#renewedAt = now;
    return true;
  }
}
