import type { BlobReader } from '../store/blob-store.ts';
import type { Outcome } from './outcome.ts';

export interface BlobStat {
  /** Bytes; undefined if the repository cannot tell. */
  readonly size: number | undefined;
  readonly outcome: Outcome;
}

/** A blob that is ready to be sent. The caller closes the reader. */
export interface OpenedBlob {
  readonly reader: BlobReader;
  readonly outcome: Outcome;
  /**
   * Resolves once the blob is stored, or it is known that it will not be; never rejects. A reader ends before that, as
   * soon as all bytes are here and right. Absent if nothing is being stored.
   */
  readonly storing?: Promise<void>;
  /** Set if the client gets the whole blob, although it has asked for ranges. */
  readonly isWhole?: true;
}
