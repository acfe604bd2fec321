import type { Bundle } from '../../archive/write/bundle.ts';
import { BundleReader } from '../../archive/write/bundle-reader.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobStore } from '../../store/blob-store.ts';

/** Bundles that can be read at the same time: what is known of one with 10,000 blobs takes 10 MB. */
const MAX_KEPT = 4;

/**
 * The bundles that were exported lately, by their identities. They are only in memory: the same export, made again,
 * gives the same bundle.
 */
export class Bundles {
  readonly #store: Pick<BlobStore, 'open'>;
  readonly #kept = new Map<Digest, Bundle>();

  constructor(store: Pick<BlobStore, 'open'>) {
    this.#store = store;
  }

  keep(bundle: Bundle): void {
    this.#kept.delete(bundle.identity);
    this.#kept.set(bundle.identity, bundle);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** Opens a bundle. The caller closes the reader. @returns undefined if it is not kept (any more) */
  open(identity: Digest): BundleReader | undefined {
    const bundle = this.#kept.get(identity);
    return bundle && new BundleReader(bundle, (digest) => this.#store.open(digest));
  }
}
