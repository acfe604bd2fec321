import type { BlobIndex } from '../index/blob-index.ts';
import type { HeldStore } from '../store/held-store.ts';
import { bytesForFill, type Marks } from './marks.ts';

export interface FillRoomOptions {
  readonly marks: Marks;
  readonly store: Pick<HeldStore, 'ingests'>;
  readonly index: Pick<BlobIndex, 'stats'>;
  /** Returns the bytes free on the disk. Rejects if the disk does not tell. */
  readonly freeBytes: () => Promise<number>;
  /**
   * Called when the fills' next writes may take all the room that is left: eviction must begin now, not at its next
   * look.
   */
  readonly onTight: () => void;
}

/** Tells a fill how many bytes it may write, by what is stored and free at the moment. Never rejects. */
export function fillRoom({ marks, store, index, freeBytes, onTight }: FillRoomOptions) {
  return async (fill: { readonly size: number | undefined; readonly offset: number }): Promise<number> => {
    if (marks.maxSize === undefined && marks.minFree === 0) return Number.POSITIVE_INFINITY;
    const free = marks.minFree === 0 ? undefined : await freeBytes().catch(() => undefined);
    const stored = await index.stats().then(
      ({ bytes }) => bytes,
      () => 0,
    );
    const ingests = [...store.ingests];
    const granted = bytesForFill(marks, { stored, ingests, free }, fill);
    // The other fills may soon write as much.
    const coming = granted * Math.max(1, ingests.length);
    if (free !== undefined && free - coming <= marks.minFree) onTight();
    return granted;
  };
}
