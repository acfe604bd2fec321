import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import type { Stored } from '../blob-store.ts';
import type { Source, Spool } from '../spool.ts';
import { syncDirectory } from './directory.ts';
import { FileSource } from './file-source.ts';
import { attempt, isErrno } from './io.ts';
import { FILE_MODE, type Layout } from './layout.ts';
import { quarantineNameOf, trimQuarantine, type QuarantineLimits } from './quarantine.ts';

/** A file in `ingest/` that becomes one in `blobs/` by a rename. */
export class FileSpool implements Spool {
  readonly #layout: Layout;
  readonly #handle: FileHandle;
  readonly #temporaryPath: string;
  readonly #quarantineName: string;
  readonly #quarantineLimits: QuarantineLimits;
  #publishedPath: Promise<string> | undefined;

  private constructor(
    layout: Layout,
    handle: FileHandle,
    names: { readonly temporaryPath: string; readonly quarantineName: string },
    quarantineLimits: QuarantineLimits,
  ) {
    this.#layout = layout;
    this.#handle = handle;
    this.#temporaryPath = names.temporaryPath;
    this.#quarantineName = names.quarantineName;
    this.#quarantineLimits = quarantineLimits;
  }

  /** @param name of the file in `ingest/`; must not exist. Throws StoreError. */
  static async create(
    layout: Layout,
    digest: Digest,
    name: string,
    quarantineLimits: QuarantineLimits,
  ): Promise<FileSpool> {
    const temporaryPath = join(layout.ingest, name);
    const quarantineName = quarantineNameOf(digest, name);
    const handle = await attempt(`create ${temporaryPath}`, () => open(temporaryPath, 'wx', FILE_MODE));
    return new FileSpool(layout, handle, { temporaryPath, quarantineName }, quarantineLimits);
  }

  async append(chunk: Uint8Array, position: number): Promise<void> {
    await attempt(`write ${this.#temporaryPath}`, async () => {
      let done = 0;
      while (done < chunk.byteLength) {
        const left = chunk.byteLength - done;
        const { bytesWritten } = await this.#handle.write(chunk, done, left, position + done);
        done += bytesWritten;
      }
    });
  }

  open(): Promise<Source> {
    return attempt(`read ${this.#temporaryPath}`, async () => {
      try {
        return await FileSource.open(this.#temporaryPath);
      } catch (error) {
        if (this.#publishedPath === undefined || !isErrno(error, 'ENOENT')) throw error;
        return await FileSource.open(await this.#publishedPath);
      }
    });
  }

  async publish(stored: Stored): Promise<void> {
    this.#publishedPath = this.#publish(stored);
    await this.#publishedPath;
  }

  async quarantine(): Promise<void> {
    await this.#close();
    const path = join(this.#layout.quarantine, this.#quarantineName);
    await attempt(`move bytes to ${path}`, () => rename(this.#temporaryPath, path));
    await trimQuarantine(this.#layout.quarantine, this.#quarantineLimits);
  }

  async discard(): Promise<void> {
    try {
      await this.#close();
    } finally {
      await attempt(`delete ${this.#temporaryPath}`, () => rm(this.#temporaryPath, { force: true }));
    }
  }

  /** What lies there already may have rotted since it was written; these bytes have just been verified. */
  async #publish({ digest }: Stored): Promise<string> {
    const path = this.#layout.blob(digest);
    await attempt(`sync ${this.#temporaryPath}`, () => this.#handle.sync());
    await this.#close();
    await attempt(`publish ${path}`, () => rename(this.#temporaryPath, path));
    await syncDirectory(dirname(path));
    return path;
  }

  async #close(): Promise<void> {
    await attempt(`close ${this.#temporaryPath}`, () => this.#handle.close());
  }
}
