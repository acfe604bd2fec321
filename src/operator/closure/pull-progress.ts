import type { JobProgress } from '../../index/job-index.ts';
import type { Digest } from '../../oci/digest.ts';
import type { PartProgress } from './pulled-parts.ts';

/** Puts the progress of many blobs together into that of one job. */
export class PullProgress {
  readonly #parts = new Map<Digest, PartProgress>();
  readonly #report: (progress: JobProgress) => void;
  readonly #images: number;
  #done = 0;
  #doneBytes = 0;
  #totalBytes = 0;

  /** @param images number of images of the run */
  constructor(images: number, report: (progress: JobProgress) => void) {
    this.#images = images;
    this.#report = report;
  }

  readonly onPart = (part: PartProgress): void => {
    const before = this.#parts.get(part.digest);
    this.#doneBytes += part.done - (before?.done ?? 0);
    // A manifest may understate the size of a blob.
    const total = Math.max(part.total, part.done);
    this.#totalBytes += total - (before === undefined ? 0 : Math.max(before.total, before.done));
    this.#parts.set(part.digest, part);
    this.#tell();
  };

  imageDone(): void {
    this.#done += 1;
    this.#tell();
  }

  #tell(): void {
    const parts = [...this.#parts.values()]
      .filter(({ done, total }) => done < total)
      .map(({ digest, done, total }) => ({ name: digest, done, total }));
    this.#report({
      done: this.#doneBytes,
      total: this.#totalBytes,
      unit: 'bytes',
      note: `${this.#done} of ${this.#images} images`,
      parts,
    });
  }
}
