import type { Mirror } from '../mirror/mirror.ts';
import type { Clock } from '../clock.ts';
import type { ContentIndex } from '../index/content-index.ts';
import type { BlobStore } from '../store/blob-store.ts';

/** What maintenance works on: the bytes, what is known of them, and who answers from both meanwhile. */
export interface MaintainedContent {
  readonly store: BlobStore;
  readonly index: ContentIndex;
  readonly mirror: Pick<Mirror, 'setAside' | 'lost' | 'forget' | 'manifest' | 'blob' | 'storeMissing'>;
  readonly clock: Clock;
}
