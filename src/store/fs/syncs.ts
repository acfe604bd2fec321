import type { FileHandle } from 'node:fs/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { syncDirectory } from './directory.ts';

/** Bytes behind the last sync that are worth one of their own while more arrive. */
const AHEAD_BYTES = 16 * 1024 * 1024;

/** What makes the files of one store durable. */
export class Syncs {
  readonly #inTurn: LimitFunction;

  /** @param atOnce each holds one of Node's threads for as long as the disk takes */
  constructor(atOnce: number) {
    this.#inTurn = pLimit(atOnce);
  }

  /** What is written of a file that is still growing. */
  growing(handle: FileHandle): GrowingFile {
    return new GrowingFile(handle, this);
  }

  /** Everything of the file, once this resolves. */
  file(handle: FileHandle): Promise<void> {
    return this.#inTurn(() => handle.sync());
  }

  /** The names in the directory, once this resolves. Throws StoreError. */
  directory(path: string): Promise<void> {
    return this.#inTurn(() => syncDirectory(path));
  }

  /** Undefined where that would keep somebody waiting who has to be durable now. */
  ahead(handle: FileHandle): Promise<void> | undefined {
    const { activeCount, pendingCount } = this.#inTurn;
    return activeCount + pendingCount === 0 ? this.#inTurn(() => handle.datasync()) : undefined;
  }
}

/** A file that is made durable while it grows, so that little of it is left for its end, when clients wait for that. */
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

  /** So many bytes more are written. */
  wrote(bytes: number): void {
    this.#written += bytes;
    if (this.#written < AHEAD_BYTES || this.#running !== undefined) return;
    const running = this.#syncs.ahead(this.#handle);
    if (running === undefined) return;
    this.#written = 0;
    this.#running = running
      // The kernel tells of bytes that it could not write only once (fsync(2)): it is kept for the end.
      .catch((error: unknown) => {
        this.#error = error;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Makes everything durable. @throws what any sync of the file has failed with */
  async sync(): Promise<void> {
    await this.settle();
    if (this.#error !== undefined) throw this.#error;
    await this.#syncs.file(this.#handle);
  }

  /** Resolves when the handle is in nobody's hands. */
  async settle(): Promise<void> {
    await this.#running;
  }
}
