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
  /** Set if the client gets the whole blob, although it has asked for ranges. */
  readonly isWhole?: true;
}
