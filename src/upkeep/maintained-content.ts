import type { Mirror } from '../mirror/mirror.ts';
import type { Clock } from '../clock.ts';
import type { ContentIndex } from '../index/content-index.ts';
import type { BlobStore } from '../store/blob-store.ts';

/** The content that upkeep keeps in order: store, index, and the mirror that serves from both meanwhile. */
export interface MaintainedContent {
  readonly store: BlobStore;
  readonly index: ContentIndex;
  readonly mirror: Pick<Mirror, 'setAside' | 'lost' | 'forget' | 'storeMissing'>;
  readonly clock: Clock;
}
