import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ManifestIndex } from '../index/manifest-index.ts';
import type { PinIndex } from '../index/pin-index.ts';
import type { Digest } from '../oci/digest.ts';

const PAGE = 100;

/**
 * Number of digests that are looked up in one turn, which takes some milliseconds. Then everything else has its turn.
 */
const DIGESTS_PER_TURN = 1000;

type PinnedIndex = Pick<PinIndex, 'pins'> & Pick<ManifestIndex, 'closure'>;

/** The digests that pins exempt, with all that they refer to, as of the last `read`. */
export class Pinned {
  readonly #index: PinnedIndex;
  /** Each pinned digest with what it refers to, which is looked up once. */
  #closures: ReadonlyMap<Digest, readonly Digest[]> = new Map();
  #digests: ReadonlySet<Digest> = new Set();

  constructor(index: PinnedIndex) {
    this.#index = index;
  }

  has(digest: Digest): boolean {
    return this.#digests.has(digest);
  }

  /**
   * Reads the pins anew: operators pin and unpin, and pinned tags move, at any time.
   * @throws IndexError
   */
  async read(): Promise<void> {
    const before = this.#closures;
    const closures = new Map<Digest, readonly Digest[]>();
    let after: string | undefined;
    let looked = 0;
    do {
      const page = await this.#index.pins({ after, limit: PAGE });
      for (const { digest } of page) {
        if (digest === undefined || closures.has(digest)) continue;
        const closure = before.get(digest) ?? (await this.#index.closure(digest));
        closures.set(digest, closure);
        looked += before.has(digest) ? 0 : closure.length;
        if (looked < DIGESTS_PER_TURN) continue;
        looked = 0;
        await nextTurn();
      }
      after = page.at(-1)?.name;
      await nextTurn();
    } while (after !== undefined);
    this.#closures = closures;
    const isSame = closures.size === before.size && [...closures.keys()].every((root) => before.has(root));
    if (!isSame) this.#digests = new Set([...closures.values()].flat());
  }
}
