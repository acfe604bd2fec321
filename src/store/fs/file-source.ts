import { open, type FileHandle } from 'node:fs/promises';
import { StoreError } from '../error.ts';
import type { Source } from '../spool.ts';
import { attempt } from './io.ts';

/** A file opened for reading, with its own descriptor. */
export class FileSource implements Source {
  readonly #handle: FileHandle;
  readonly #path: string;

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  /** @throws the file system's own error. */
  static async open(path: string): Promise<FileSource> {
    return new FileSource(await open(path, 'r'), path);
  }

  get fd(): number {
    return this.#handle.fd;
  }

  /** Bytes in the file. */
  async size(): Promise<number> {
    const { size } = await attempt(`read ${this.#path}`, () => this.#handle.stat());
    return size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const operation = `read ${this.#path} at ${position}`;
    const { bytesRead } = await attempt(operation, () =>
      this.#handle.read(into, 0, into.byteLength, position),
    );
    // Another program has truncated the file: going on would wait for ever.
    if (bytesRead === 0) throw new StoreError(operation, { code: 'EIO' });
    return bytesRead;
  }

  async close(): Promise<void> {
    await attempt(`close ${this.#path}`, () => this.#handle.close());
  }
}
