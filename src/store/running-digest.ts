import { createDigester, digestAlgorithm, type Digest, type DigestAlgorithm } from '../oci/digest.ts';
import type { Source } from './spool.ts';

const READ_BYTES = 1024 * 1024;

/** Hashes bytes as they come. Reads them again if they came by another way, or need another algorithm. */
export class RunningDigest {
  #algorithm: DigestAlgorithm;
  #digester;
  /** Bytes that are hashed, from the first on. */
  #hashed = 0;
  #trusted: { readonly digest: Digest; readonly size: number } | undefined;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
    this.#digester = createDigester(algorithm);
  }

  /** Hashes bytes that come at a position. If there is a gap before them, `finish` reads and hashes them instead. */
  update(chunks: readonly Uint8Array[], position: number): void {
    if (position !== this.#hashed) return;
    for (const chunk of chunks) {
      this.#digester.update(chunk);
      this.#hashed += chunk.byteLength;
    }
  }

  /** Trusts a digest of the first `size` bytes that another thread has computed. */
  trust(digest: Digest, size: number): void {
    this.#trusted = { digest, size };
  }

  /**
   * Returns the digest of the first `size` bytes; no byte beyond them may have been hashed. May be called once.
   * @param expected decides the algorithm
   * @param open opens the bytes, to hash those that are not hashed yet
   * @throws what `open` and reading throw
   */
  async finish(expected: Digest, size: number, open: () => Promise<Source>): Promise<Digest> {
    const algorithm = digestAlgorithm(expected);
    const trusted = this.#trusted?.size === size ? this.#trusted.digest : undefined;
    if (trusted !== undefined && digestAlgorithm(trusted) === algorithm) return trusted;
    this.#useAlgorithm(algorithm);
    if (this.#hashed < size) await this.#readUpTo(size, open);
    return this.#digester.digest();
  }

  #useAlgorithm(algorithm: DigestAlgorithm): void {
    if (algorithm === this.#algorithm) return;
    this.#algorithm = algorithm;
    this.#digester = createDigester(algorithm);
    this.#hashed = 0;
  }

  async #readUpTo(end: number, open: () => Promise<Source>): Promise<void> {
    const source = await open();
    try {
      const buffer = new Uint8Array(Math.min(READ_BYTES, end - this.#hashed));
      while (this.#hashed < end) {
        const count = await source.read(buffer.subarray(0, end - this.#hashed), this.#hashed);
        this.update([buffer.subarray(0, count)], this.#hashed);
      }
    } finally {
      await source.close();
    }
  }
}
