import { createDigester, digestAlgorithm, type Digester } from '../oci/digest.ts';
import type { BlobReader, Expected, Ingest, Stored } from './blob-store.ts';
import { VerificationError } from './error.ts';
import { Progress } from './progress.ts';
import { ProgressReader } from './reader.ts';
import type { Spool } from './spool.ts';

/** What is the same in every store's ingest: offset, verification, followers, and how it ends. */
export class SpooledIngest implements Ingest {
  readonly expected: Expected;
  readonly #spool: Spool;
  readonly #progress: Progress;
  readonly #digester: Digester;
  #commit: Promise<Stored> | undefined;

  constructor(expected: Expected, spool: Spool) {
    this.expected = expected;
    this.#spool = spool;
    this.#progress = new Progress(expected.size);
    this.#digester = createDigester(digestAlgorithm(expected.digest));
  }

  get offset(): number {
    return this.#progress.offset;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    this.#assertOpen();
    const bytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (bytes === 0) return;
    const { size } = this.expected;
    if (size !== undefined && this.offset + bytes > size) {
      throw await this.#reject(`more than the expected ${size} bytes`);
    }
    await this.#append(chunks);
    this.#assertOpen();
    this.#progress.advance(bytes);
  }

  async follow(): Promise<BlobReader> {
    this.#assertNotFailed();
    try {
      return new ProgressReader(this.#progress, await this.#spool.open());
    } catch (error) {
      this.#assertNotFailed();
      throw error;
    }
  }

  commit(): Promise<Stored> {
    this.#commit ??= this.#verifyAndPublish();
    return this.#commit;
  }

  async abort(reason: Error): Promise<void> {
    // A commit that has begun decides the end itself.
    if (this.#commit !== undefined || !this.#progress.isOpen) {
      await this.#commit?.catch(() => undefined);
      return;
    }
    this.#progress.fail(reason);
    await this.#discard();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort(new Error(`the ingest of ${this.expected.digest} was given up`));
  }

  async #append(chunks: readonly Uint8Array[]): Promise<void> {
    const appended = this.#spool.append(chunks, this.offset);
    // Hashing here while the kernel takes the bytes on another thread.
    for (const chunk of chunks) this.#digester.update(chunk);
    try {
      await appended;
    } catch (error) {
      await this.abort(error as Error);
      throw error;
    }
  }

  async #verifyAndPublish(): Promise<Stored> {
    this.#assertOpen();
    const { digest, size } = this.expected;
    if (size !== undefined && this.offset !== size) {
      throw await this.#reject(`${this.offset} of the expected ${size} bytes`);
    }
    const actual = this.#digester.digest();
    if (actual !== digest) throw await this.#reject(`the bytes have the digest ${actual}`);
    return this.#publish({ digest, size: this.offset });
  }

  async #publish(stored: Stored): Promise<Stored> {
    try {
      await this.#spool.publish(stored);
      return stored;
    } catch (error) {
      await this.#discard();
      throw error;
    } finally {
      // Also where publishing failed: the bytes are right, so nobody who follows them need suffer.
      this.#progress.complete();
    }
  }

  async #reject(message: string): Promise<VerificationError> {
    const error = new VerificationError(this.expected, message);
    this.#progress.fail(error);
    try {
      await this.#spool.quarantine();
    } catch {
      // That the bytes are wrong matters more than that they could not be kept.
      await this.#discard();
    }
    return error;
  }

  async #discard(): Promise<void> {
    try {
      await this.#spool.discard();
    } catch {
      // What stays behind is in nobody's way, and the next start sweeps it.
    }
  }

  #assertOpen(): void {
    this.#assertNotFailed();
    if (this.#commit !== undefined) throw new Error(`the ingest of ${this.expected.digest} has ended`);
  }

  #assertNotFailed(): void {
    if (this.#progress.reason !== undefined) throw this.#progress.reason;
  }
}
