import type { Digest } from '../oci/digest.ts';

/** Holds of bytes whose digest may become known only later: until then there is nothing that could be held. */
export class LateHolds {
  readonly #hold: (digest: Digest) => () => void;
  /** What each hold that was taken before the digest was known does, once it is. */
  readonly #waiting = new Set<(digest: Digest) => void>();
  #digest: Digest | undefined;

  /** @param hold holds a digest, and gives the function that ends that */
  constructor(hold: (digest: Digest) => () => void, digest: Digest | undefined) {
    this.#hold = hold;
    this.#digest = digest;
  }

  /** @returns a function that ends the hold; once more does nothing. */
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

  /** The digest is known; undefined: it is not, after all. */
  name(digest: Digest | undefined): void {
    if (digest === undefined) return;
    this.#digest = digest;
    for (const begin of this.#waiting) begin(digest);
    this.#waiting.clear();
  }
}
