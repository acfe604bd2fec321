import { recordOrDrop } from '../../content/record-or-drop.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Stored } from '../../store/blob-store.ts';
import type { FillOptions } from './fill-options.ts';

/** What the index records of a fill: the repositories that its blob belongs to, then the blob itself. */
export class FillRecord {
  readonly #key: RepositoryKey;
  readonly #digest: Digest;
  readonly #options: FillOptions;
  readonly #onFailed: (error: unknown) => void;
  /** Other repositories that upstream has confirmed the blob for, and that are not recorded yet. */
  readonly #boarded = new Map<string, RepositoryKey>();

  /**
   * @param key the repository that the fill was begun for
   * @param onFailed called with the error of what could not be recorded
   */
  constructor(key: RepositoryKey, digest: Digest, onFailed: (error: unknown) => void, options: FillOptions) {
    this.#key = key;
    this.#digest = digest;
    this.#onFailed = onFailed;
    this.#options = options;
  }

  /** Adds a repository that upstream has confirmed the blob for. It is recorded once the bytes are verified. */
  join(key: RepositoryKey): void {
    this.#boarded.set(key.repository, key);
  }

  /**
   * Records that the blob belongs to its repositories. The bytes must have been verified; they need not be stored.
   * @param isGiven whether all bytes came through the fill's own repository
   */
  async putBelongings(isGiven: boolean): Promise<void> {
    const { belonging } = this.#options;
    await this.#tryTo(async () => {
      if (isGiven) await belonging.add(this.#key, this.#digest, 'given');
      else await belonging.addOrigin(this.#key.registry, this.#digest);
      await this.#putBoarded();
    });
  }

  /** Records bytes that are stored. If that fails, they are deleted. */
  async putBlob(stored: Stored): Promise<void> {
    const { index, clock } = this.#options;
    await this.#tryTo(async () => {
      // Clients may have boarded while the bytes were being stored.
      await this.#putBoarded();
      await recordOrDrop(this.#options, this.#digest, () => index.putBlob(stored, clock.now()));
    });
  }

  async #putBoarded(): Promise<void> {
    for (const [name, key] of this.#boarded) {
      this.#boarded.delete(name);
      await this.#options.belonging.add(key, this.#digest, 'confirmed');
    }
  }

  async #tryTo(record: () => Promise<void>): Promise<void> {
    try {
      await record();
    } catch (error) {
      this.#onFailed(error);
    }
  }
}
