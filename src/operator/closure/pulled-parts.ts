import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Repository } from '../../repository/repository.ts';
import type { BlobReader } from '../../store/blob-store.ts';

/** How far a blob has come. Sizes in bytes. */
export interface PartProgress {
  readonly digest: Digest;
  readonly done: number;
  /** As the manifest says. */
  readonly total: number;
}

/** All runs are one client for the upstreams' limits: clients that wait for a pull have their turns beside it. */
const CLIENT = 'operator';

/** Pulls the blobs of one run, each of them once for each repository, however many images of it have them. */
export class PulledParts {
  readonly #onProgress: (progress: PartProgress) => void;
  readonly #pulled = new Map<string, Promise<number>>();

  constructor(onProgress: (progress: PartProgress) => void) {
    this.#onProgress = onProgress;
  }

  /**
   * Waits until the repository has the whole blob here, and the store has it if it can.
   * @returns its bytes
   * @throws as `Repository.blob` and its reader do
   */
  pull(repository: Repository, blob: Descriptor, signal: AbortSignal): Promise<number> {
    const { registry, repository: name } = repository.key;
    const key = `${registry}/${name} ${blob.digest}`;
    const earlier = this.#pulled.get(key);
    if (earlier !== undefined) return earlier;
    const pulled = this.#pull(repository, blob, signal);
    this.#pulled.set(key, pulled);
    // An image that asks later tries again.
    pulled.catch(() => this.#pulled.delete(key));
    return pulled;
  }

  async #pull(repository: Repository, { digest, size }: Descriptor, signal: AbortSignal): Promise<number> {
    const { reader, storing } = await repository.blob(digest, { range: undefined, client: CLIENT });
    const close = (): void => void reader.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      if (signal.aborted) close();
      const bytes = await this.#waitForEnd(reader, { digest, total: size });
      await storing;
      return bytes;
    } finally {
      signal.removeEventListener('abort', close);
      await reader.close();
    }
  }

  async #waitForEnd(reader: BlobReader, part: Omit<PartProgress, 'done'>): Promise<number> {
    for (let done = 0; ;) {
      const end = await reader.available(done);
      if (end === done) return end;
      done = end;
      this.#onProgress({ ...part, done });
    }
  }
}
