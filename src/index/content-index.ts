import type { BelongingIndex } from './belonging-index.ts';
import type { BlobIndex } from './blob-index.ts';
import type { ContentSurvey } from './content-survey.ts';
import type { JobIndex } from './job-index.ts';
import type { LeaseIndex } from './lease-index.ts';
import type { ManifestIndex } from './manifest-index.ts';
import type { PinIndex } from './pin-index.ts';
import type { TagIndex } from './tag-index.ts';

/**
 * What is known about the bytes: the eight ports in one, for code that opens, decorates or closes an index. Other code
 * takes only the ports that it uses. The ports are views of one set of tables: putting a manifest makes belongings,
 * deleting a blob deletes its manifest.
 *
 * The index is a cache of the truth on disk: if it is lost, it is built anew. Every method rejects with IndexError
 * (error.ts) when the index cannot do its work, and with IndexDamagedError when it is broken. The methods are the
 * object's own properties and need no `this`, so that a decorator can take them over (map-methods.ts).
 * Every implementation passes `content-index.contract.ts`.
 */
export interface ContentIndex
  extends TagIndex, ManifestIndex, BlobIndex, PinIndex, LeaseIndex, BelongingIndex, ContentSurvey, JobIndex {
  close(): Promise<void>;
}
