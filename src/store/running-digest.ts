import { createDigester, digestAlgorithm, type Digest, type DigestAlgorithm } from '../oci/digest.ts';
import type { Source } from './spool.ts';

const READ_BYTES = 1024 * 1024;

/** The digest of bytes as they come; what came by another way, or is to be hashed by another algorithm, is read. */
export class RunningDigest {
  #algorithm: DigestAlgorithm;
  #digester;
  /** Bytes that are hashed, from the first on. */
  #hashed = 0;
  #believed: { readonly digest: Digest; readonly size: number } | undefined;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
    this.#digester = createDigester(algorithm);
  }

  /** Hashes bytes that come at a position, unless there is a gap before them: those are read in the end. */
  update(chunks: readonly Uint8Array[], position: number): void {
    if (position !== this.#hashed) return;
    for (const chunk of chunks) {
      this.#digester.update(chunk);
      this.#hashed += chunk.byteLength;
    }
  }

  /** Takes another's word for the digest of the first `size` bytes. */
  believe(digest: Digest, size: number): void {
    this.#believed = { digest, size };
  }

  /**
   * The digest of the first `size` bytes, none of which more than those were hashed. May be called once.
   * @param expected tells the algorithm
   * @param open opens the bytes, for those that are still to be hashed
   * @throws what `open` and reading throw
   */
  async finish(expected: Digest, size: number, open: () => Promise<Source>): Promise<Digest> {
    const algorithm = digestAlgorithm(expected);
    const believed = this.#believed?.size === size ? this.#believed.digest : undefined;
    if (believed !== undefined && digestAlgorithm(believed) === algorithm) return believed;
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
