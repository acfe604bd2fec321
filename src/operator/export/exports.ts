import type { Bundle } from '../../archive/write/bundle.ts';
import { BundleReader } from '../../archive/write/bundle-reader.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import type { JobContext } from '../jobs/job-work.ts';
import { exportImages, type ExportOptions, type ExportRequest, type ExportResult } from './export-images.ts';

/** Bundles that can be read at the same time: what is known of one with 10,000 blobs takes 10 MB. */
const MAX_KEPT = 4;

/**
 * Exports images, and keeps the last bundles by their identities. They are only in memory: the same export, made again,
 * gives the same bundle.
 */
export class Exports {
  readonly #options: ExportOptions & { readonly store: Pick<BlobStore, 'open'> };
  readonly #kept = new Map<Digest, Bundle>();

  constructor(options: ExportOptions & { readonly store: Pick<BlobStore, 'open'> }) {
    this.#options = options;
  }

  /** Makes a bundle that `open` then knows. @throws as `exportImages` does */
  async run(request: ExportRequest, context: JobContext): Promise<ExportResult> {
    const { bundle, result } = await exportImages(request, this.#options, context);
    this.#kept.delete(bundle.identity);
    this.#kept.set(bundle.identity, bundle);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return result;
  }

  /** Opens a bundle. The caller closes the reader. @returns undefined if it is not kept (any more) */
  open(identity: Digest): BundleReader | undefined {
    const bundle = this.#kept.get(identity);
    return bundle && new BundleReader(bundle, (digest) => this.#options.store.open(digest));
  }
}
