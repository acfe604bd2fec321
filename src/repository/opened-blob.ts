import type { BlobReader } from '../store/blob-store.ts';
import type { Outcome } from './outcome.ts';

export interface BlobStat {
  /** Bytes; undefined where the repository cannot tell. */
  readonly size: number | undefined;
  readonly outcome: Outcome;
}

/** A blob ready to be sent. The caller closes the reader. */
export interface OpenedBlob {
  readonly reader: BlobReader;
  readonly outcome: Outcome;
  /** The client gets the whole, whatever ranges it has asked for. */
  readonly isWhole?: true;
}
