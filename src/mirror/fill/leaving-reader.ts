import type { BlobReader } from '../../store/blob-store.ts';
import { ForwardingReader } from '../../store/forwarding-reader.ts';

/** A follower's reader. It knows the size if the fill does (the ingest may not), and reports once that it has left. */
export class LeavingReader extends ForwardingReader {
  readonly #size: number | undefined;
  #onClose: (() => void) | undefined;

  /** @param size of the blob in bytes, if the fill knows it */
  constructor(inner: BlobReader, size: number | undefined, onClose: () => void) {
    super(inner);
    this.#size = size;
    this.#onClose = onClose;
  }

  override get size(): number | undefined {
    return super.size ?? this.#size;
  }

  override async close(): Promise<void> {
    const onClose = this.#onClose;
    this.#onClose = undefined;
    onClose?.();
    await super.close();
  }
}
