import type { BlobReader } from '../../store/blob-store.ts';
import { ForwardingReader } from '../../store/forwarding-reader.ts';

/** A follower of a fill, which knows more of the size than the ingest does, that says once that it is gone. */
export class LeavingReader extends ForwardingReader {
  readonly #size: number | undefined;
  #onClose: (() => void) | undefined;

  /** @param size of the blob, where the fill knows it */
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
