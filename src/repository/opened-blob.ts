import type { RangeSpec } from '../http/range.ts';
import type { BlobReader } from '../store/blob-store.ts';
import type { Outcome } from './outcome.ts';

/** What is asked of a blob, and by which client. */
export interface Asked {
  /** Undefined: the whole. */
  readonly range: RangeSpec | undefined;
  /** An opaque key, one for each client. */
  readonly client: string;
}

/** A blob ready to be sent. The caller closes the reader. */
export interface OpenedBlob {
  readonly reader: BlobReader;
  readonly outcome: Outcome;
  /** The client gets the whole, whatever ranges it has asked for. */
  readonly isWhole?: true;
}
