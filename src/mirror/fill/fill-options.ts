import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { ManifestIndex } from '../../index/manifest-index.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import type { FillRoom } from './allowance.ts';
import type { Belonging } from '../permission/belonging.ts';
import type { DiskHealth } from '../disk-health.ts';

export interface FillOptions {
  readonly belonging: Belonging;
  readonly store: BlobStore;
  readonly index: BlobIndex & ManifestIndex;
  readonly disk: DiskHealth;
  readonly clock: Clock;
  readonly events: Events;
  /** Absent: there is always room. */
  readonly room?: FillRoom | undefined;
  /** Whether another fill of the same blob has just brought wrong bytes. */
  readonly isRetry?: boolean;
}
