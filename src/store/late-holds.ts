import type { Digest } from '../oci/digest.ts';

/** Holds on bytes whose digest may become known only later: until then, there is no digest to hold. */
export class LateHolds {
  readonly #hold: (digest: Digest) => () => void;
  /** One function for each hold that was taken before the digest was known. It holds the digest. */
  readonly #waiting = new Set<(digest: Digest) => void>();
  #digest: Digest | undefined;

  /** @param hold holds a digest; returns a function that ends the hold */
  constructor(hold: (digest: Digest) => () => void, digest: Digest | undefined) {
    this.#hold = hold;
    this.#digest = digest;
  }

  /** @returns a function that ends the hold; a second call does nothing. */
  take(): () => void {
    if (this.#digest !== undefined) return this.#hold(this.#digest);
    let release = (): void => {
      this.#waiting.delete(begin);
    };
    const begin = (digest: Digest): void => {
      release = this.#hold(digest);
    };
    this.#waiting.add(begin);
    return () => release();
  }

  /** Sets the digest once it is known, and holds it for every hold; does nothing if it is still undefined. */
  setDigest(digest: Digest | undefined): void {
    if (digest === undefined) return;
    this.#digest = digest;
    for (const begin of this.#waiting) begin(digest);
    this.#waiting.clear();
  }
}
