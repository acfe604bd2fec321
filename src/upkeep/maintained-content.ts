import type { Mirror } from '../mirror/mirror.ts';
import type { Clock } from '../clock.ts';
import type { ContentIndex } from '../index/content-index.ts';
import type { BlobStore } from '../store/blob-store.ts';

/** What is kept in order: the bytes, what is known of them, and the mirror that answers from both meanwhile. */
export interface MaintainedContent {
  readonly store: BlobStore;
  readonly index: ContentIndex;
  readonly mirror: Pick<Mirror, 'setAside' | 'lost' | 'forget' | 'storeMissing'>;
  readonly clock: Clock;
}
