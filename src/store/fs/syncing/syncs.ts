import type { FileHandle } from 'node:fs/promises';
import { syncDirectory } from '../directory.ts';
import { SyncTurns } from './sync-turns.ts';

/** Unsynced bytes that are worth a sync of their own while more arrive. */
const AHEAD_BYTES = 16 * 1024 * 1024;
/** The sync of more unsynced bytes than this is long. */
const QUICK_BYTES = 1024 * 1024;

/** Makes the files of one store durable. */
export class Syncs {
  readonly #turns: SyncTurns;

  /** @param atOnce maximum number of syncs at once; each occupies one of Node's threads until the disk is done */
  constructor(atOnce: number) {
    this.#turns = new SyncTurns(atOnce);
  }

  /** Returns the means to sync a file while it grows. */
  growing(handle: FileHandle): GrowingFile {
    return new GrowingFile(handle, this);
  }

  /**
   * Makes everything in the file durable.
   * @param bytes about as many bytes are not synced yet
   */
  file(handle: FileHandle, bytes: number): Promise<void> {
    return this.#turns.run(bytes > QUICK_BYTES ? 'long' : 'quick', () => handle.sync());
  }

  /** Makes the names in the directory durable. Throws StoreError. */
  directory(path: string): Promise<void> {
    return this.#turns.run('quick', () => syncDirectory(path));
  }

  /** Syncs a growing file ahead of its end. Returns undefined if other syncs run or wait: they end ingests. */
  ahead(handle: FileHandle): Promise<void> | undefined {
    return this.#turns.isIdle ? this.#turns.run('long', () => handle.datasync()) : undefined;
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
    await this.#syncs.file(this.#handle, this.#written);
  }

  /** Resolves when no sync uses the handle any more. */
  async settle(): Promise<void> {
    await this.#running;
  }
}
