import type { FileHandle } from 'node:fs/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { syncDirectory } from './directory.ts';

/** Unsynced bytes that are worth a sync of their own while more arrive. */
const AHEAD_BYTES = 16 * 1024 * 1024;

/** Makes the files of one store durable. */
export class Syncs {
  readonly #inTurn: LimitFunction;

  /** @param atOnce maximum number of syncs at once; each occupies one of Node's threads until the disk is done */
  constructor(atOnce: number) {
    this.#inTurn = pLimit(atOnce);
  }

  /** Returns the means to sync a file while it grows. */
  growing(handle: FileHandle): GrowingFile {
    return new GrowingFile(handle, this);
  }

  /** Makes everything in the file durable. */
  file(handle: FileHandle): Promise<void> {
    return this.#inTurn(() => handle.sync());
  }

  /** Makes the names in the directory durable. Throws StoreError. */
  directory(path: string): Promise<void> {
    return this.#inTurn(() => syncDirectory(path));
  }

  /** Syncs a growing file ahead of its end. Returns undefined if other syncs run or wait: they end ingests. */
  ahead(handle: FileHandle): Promise<void> | undefined {
    const { activeCount, pendingCount } = this.#inTurn;
    return activeCount + pendingCount === 0 ? this.#inTurn(() => handle.datasync()) : undefined;
  }
}

/** Makes a file durable while it grows, so that little is left to sync at its end. */
export class GrowingFile {
  readonly #handle: FileHandle;
  readonly #syncs: Syncs;
  #written = 0;
  #running: Promise<void> | undefined;
  #error: unknown;

  constructor(handle: FileHandle, syncs: Syncs) {
    this.#handle = handle;
    this.#syncs = syncs;
  }

  /** Counts bytes that were written. */
  countWritten(bytes: number): void {
    this.#written += bytes;
    if (this.#written < AHEAD_BYTES || this.#running !== undefined) return;
    const running = this.#syncs.ahead(this.#handle);
    if (running === undefined) return;
    this.#written = 0;
    this.#running = running
      // The kernel reports a failed write only once (fsync(2)), so the error is kept for the end.
      .catch((error: unknown) => {
        this.#error = error;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Makes everything durable. @throws the error of any failed sync of the file */
  async sync(): Promise<void> {
    await this.settle();
    if (this.#error !== undefined) throw this.#error;
    await this.#syncs.file(this.#handle);
  }

  /** Resolves when no sync uses the handle any more. */
  async settle(): Promise<void> {
    await this.#running;
  }
}
