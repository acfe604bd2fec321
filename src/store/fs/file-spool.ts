import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import type { Stored } from '../blob-store.ts';
import type { WritableFile } from '../capabilities.ts';
import type { DirectSpool, Source, Spool } from '../spool.ts';
import { FileSource } from './file-source.ts';
import { skipBytes } from './skip-bytes.ts';
import { attempt, isErrno } from './io.ts';
import { FILE_MODE, type Layout } from './layout.ts';
import { quarantineNameOf, type QuarantineFolder } from './quarantine.ts';
import type { GrowingFile, Syncs } from './syncing/syncs.ts';

export interface FileSpoolOptions {
  readonly quarantine: QuarantineFolder;
  readonly syncs: Syncs;
}

/** A file in `ingest/` that a rename publishes in `blobs/`. */
export class FileSpool implements Spool {
  readonly direct: DirectSpool;
  readonly #layout: Layout;
  readonly #handle: FileHandle;
  readonly #growing: GrowingFile;
  readonly #syncs: Syncs;
  readonly #name: string;
  readonly #temporaryPath: string;
  readonly #quarantine: QuarantineFolder;
  /** Where the file is once it has been renamed. Known before. */
  #publishedPath: string | undefined;

  private constructor(layout: Layout, handle: FileHandle, name: string, options: FileSpoolOptions) {
    this.#layout = layout;
    this.#handle = handle;
    this.#growing = options.syncs.growing(handle);
    this.#syncs = options.syncs;
    this.#name = name;
    this.#temporaryPath = join(layout.ingest, name);
    this.#quarantine = options.quarantine;
    this.direct = {
      open: () => this.#openToWrite(),
      countWritten: (bytes) => this.#growing.countWritten(bytes),
      size: () => this.#size(),
    };
  }

  /** @param name name of the file in `ingest/`, which must not exist yet. Throws StoreError. */
  static async create(layout: Layout, name: string, options: FileSpoolOptions): Promise<FileSpool> {
    const path = join(layout.ingest, name);
    const handle = await attempt(`create ${path}`, () => open(path, 'wx', FILE_MODE));
    return new FileSpool(layout, handle, name, options);
  }

  async append(chunks: readonly Uint8Array[], position: number): Promise<void> {
    await attempt(`write ${this.#temporaryPath}`, async () => {
      let rest = chunks;
      for (let at = position; rest.length > 0;) {
        const { bytesWritten } = await this.#handle.writev(rest, at);
        at += bytesWritten;
        this.#growing.countWritten(bytesWritten);
        rest = skipBytes(rest, bytesWritten);
      }
    });
  }

  open(): Promise<Source> {
    return attempt(`read ${this.#temporaryPath}`, async () => {
      try {
        return await FileSource.open(this.#temporaryPath);
      } catch (error) {
        if (this.#publishedPath === undefined || !isErrno(error, 'ENOENT')) throw error;
        return await FileSource.open(this.#publishedPath);
      }
    });
  }

  /** Publishes the bytes, which were verified, over an existing file, which may have rotted. */
  async publish({ digest }: Stored): Promise<void> {
    await attempt(`sync ${this.#temporaryPath}`, () => this.#growing.sync());
    await this.#close();
    const path = (this.#publishedPath = this.#layout.blob(digest));
    await attempt(`publish ${path}`, () => rename(this.#temporaryPath, path));
    try {
      await this.#syncs.directory(dirname(path));
    } catch (error) {
      // Bytes that do not count as stored must not be visible: they would have no row, and never be evicted.
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
  }

  async quarantine(expected: Digest | undefined): Promise<void> {
    await this.#close();
    const name = quarantineNameOf(expected, this.#name);
    await this.#quarantine.setAsideUnpublished(this.#temporaryPath, name);
  }

  async discard(): Promise<void> {
    try {
      await this.#close();
    } finally {
      await attempt(`delete ${this.#temporaryPath}`, () => rm(this.#temporaryPath, { force: true }));
    }
  }

  /** Opens another descriptor for the writer: ours is closed when the ingest ends, and its number may be reused. */
  async #openToWrite(): Promise<WritableFile> {
    const path = this.#temporaryPath;
    const handle = await attempt(`write ${path}`, () => open(path, 'r+'));
    return { fd: handle.fd, close: () => attempt(`close ${path}`, () => handle.close()) };
  }

  async #size(): Promise<number> {
    const { size } = await attempt(`stat ${this.#temporaryPath}`, () => this.#handle.stat());
    return size;
  }

  async #close(): Promise<void> {
    await this.#growing.settle();
    await attempt(`close ${this.#temporaryPath}`, () => this.#handle.close());
  }
}
