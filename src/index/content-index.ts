import type { BelongingIndex } from './belonging-index.ts';
import type { BlobIndex } from './blob-index.ts';
import type { ContentSurvey } from './content-survey.ts';
import type { ManifestIndex } from './manifest-index.ts';
import type { PinIndex } from './pin-index.ts';
import type { TagIndex } from './tag-index.ts';

/**
 * What is known about the bytes: the six ports in one, for what opens, decorates or closes an index. All else takes
 * the ports that it uses. The ports are six views of one set of tables: a manifest that is put makes belongings, a blob
 * that is deleted takes its manifest with it.
 *
 * A cache of the truth on disk: it may be lost, and then it is built anew. Every method rejects with IndexError
 * (error.ts) where the index cannot do its work; with IndexDamagedError where it is broken. The methods are properties
 * of the object's own and need no `this`, so that a decorator can take them over (map-methods.ts).
 * Every implementation passes `content-index.contract.ts`.
 */
export interface ContentIndex
  extends TagIndex, ManifestIndex, BlobIndex, PinIndex, BelongingIndex, ContentSurvey {
  close(): Promise<void>;
}
