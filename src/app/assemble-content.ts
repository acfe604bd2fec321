import { Mirror, type MirrorOptions } from '../mirror/mirror.ts';
import { Evictor } from '../eviction/evictor.ts';
import { fillRoom } from '../eviction/fill-room.ts';
import type { Marks } from '../eviction/marks.ts';
import type { HeldStore } from '../store/held-store.ts';

export interface ContentParts extends Omit<MirrorOptions, 'onFull' | 'room'> {
  readonly store: HeldStore;
  readonly marks: Marks;
  /** Bytes free on the disk. Rejects where they cannot be told. */
  readonly freeBytes: () => Promise<number>;
}

/** The mirror, and what sees to it that what it keeps fits: each tells the other what it does. */
export interface AssembledContent {
  readonly mirror: Mirror;
  /** Still to be started. */
  readonly evictor: Evictor;
  /** Ends both; the store and the index are their opener's. */
  close(): Promise<void>;
}

export function assembleContent(parts: ContentParts): AssembledContent {
  const mirror = new Mirror({
    ...parts,
    onFull: (bytes) => evictor.makeRoom(bytes),
    room: fillRoom({ ...parts, onTight: () => evictor.wake() }),
  });
  const evictor = new Evictor({
    ...parts,
    flushUses: () => mirror.flushUses(),
    onEvicted: (digest) => mirror.evicted(digest),
  });
  return {
    mirror,
    evictor,
    async close() {
      await evictor.close();
      await mirror.close();
    },
  };
}
