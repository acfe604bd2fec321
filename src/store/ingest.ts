import type { Digest } from '../oci/digest.ts';
import type { BlobReader, Expected, Ingest, IngestOptions, Stored } from './blob-store.ts';
import type { DirectWriting } from './capabilities.ts';
import { nameOf, VerificationError } from './error.ts';
import { agree, algorithmOf, type Agreed } from './expectation.ts';
import { Progress } from './progress.ts';
import { ProgressReader } from './reader.ts';
import { RunningDigest } from './running-digest.ts';
import type { DirectSpool, Spool } from './spool.ts';

/** The part that every store's ingest shares: offset, verification, followers, and how it ends. */
export class SpooledIngest implements Ingest {
  readonly direct: DirectWriting | undefined;
  #expected: IngestOptions;
  readonly #spool: Spool;
  readonly #progress: Progress;
  readonly #digest: RunningDigest;
  /** Whether bytes were written directly, past this object. */
  #isDirect = false;
  #verification: Promise<Stored> | undefined;
  #commit: Promise<Stored> | undefined;

  private constructor(options: IngestOptions, digest: RunningDigest, spool: Spool) {
    this.#expected = options;
    this.#spool = spool;
    this.#progress = new Progress(options.size);
    this.#digest = digest;
    this.direct = spool.direct && this.#directTo(spool.direct);
  }

  /** @throws ExpectationError, and what `createSpool` throws */
  static async begin(options: IngestOptions, createSpool: () => Promise<Spool>): Promise<SpooledIngest> {
    // This may throw, so it comes before there is a spool to discard.
    const digest = new RunningDigest(algorithmOf(options));
    return new SpooledIngest(options, digest, await createSpool());
  }

  get expected(): Expected {
    return this.#expected;
  }

  get offset(): number {
    return this.#progress.offset;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    this.#assertOpen();
    const bytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (bytes === 0) return;
    if (this.#isTooMuch(bytes)) throw await this.#rejectTooMuch();
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

  verify(expected: Expected = {}): Promise<Stored> {
    return this.#agreeing(expected, (agreed) => this.#verifyOnce(agreed));
  }

  commit(expected: Expected = {}): Promise<Stored> {
    return this.#agreeing(expected, (agreed) => {
      const verification = this.#verifyOnce(agreed);
      this.#commit ??= this.#publish(verification);
      return this.#commit;
    });
  }

  async abort(reason: Error): Promise<void> {
    if (this.#verification !== undefined) await settled(this.#verification);
    // Once commit has begun, it decides how the ingest ends.
    if (this.#commit !== undefined) await settled(this.#commit);
    else if (this.#progress.reason === undefined) await this.#fail(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort(new Error(`the ingest of ${nameOf(this.#expected)} was given up`));
  }

  #directTo(spool: DirectSpool): DirectWriting {
    return {
      open: async () => {
        this.#assertOpen();
        return spool.open();
      },
      advance: (bytes, digest) => this.#advance(spool, bytes, digest),
    };
  }

  async #append(chunks: readonly Uint8Array[]): Promise<void> {
    const appended = this.#spool.append(chunks, this.offset);
    // This thread hashes the bytes while another one writes them.
    this.#digest.update(chunks, this.offset);
    try {
      await appended;
    } catch (error) {
      await this.abort(error as Error);
      throw error;
    }
  }

  async #advance(spool: DirectSpool, bytes: number, digest: Digest | undefined): Promise<void> {
    this.#assertOpen();
    if (this.#isTooMuch(bytes)) throw await this.#rejectTooMuch();
    this.#isDirect = true;
    spool.countWritten(bytes);
    this.#progress.advance(bytes);
    if (digest !== undefined) this.#digest.trust(digest, this.offset);
  }

  /** Does what `verify` or `commit` do, after checking that their caller expects nothing else than before. */
  async #agreeing(expected: Expected, end: (agreed: Agreed) => Promise<Stored>): Promise<Stored> {
    this.#assertNotFailed();
    let agreed: Agreed;
    try {
      agreed = agree(this.#expected, expected);
    } catch (error) {
      await this.abort(error as Error);
      throw error;
    }
    return end(agreed);
  }

  #verifyOnce(agreed: Agreed): Promise<Stored> {
    this.#verification ??= this.#verify(agreed);
    return this.#verification;
  }

  async #verify(agreed: Agreed): Promise<Stored> {
    this.#expected = agreed;
    let mistake: string | undefined;
    try {
      mistake = await this.#findMistake(agreed);
    } catch (error) {
      await this.#fail(error as Error);
      throw error;
    }
    if (mistake !== undefined) throw await this.#reject(mistake);
    this.#progress.complete();
    return { digest: agreed.digest, size: this.offset };
  }

  /** Returns what is wrong with the bytes, if anything. @throws StoreError if they must be read again and cannot be */
  async #findMistake({ digest, size }: Agreed): Promise<string | undefined> {
    const { offset } = this;
    if (size !== undefined && offset !== size) return `${offset} of the expected ${size} bytes`;
    // The offset of direct writing is only the writer's claim until the file's size confirms it.
    const there = this.#isDirect ? await this.#spool.direct?.size() : offset;
    if (there !== offset) return `${there} bytes were written instead of ${offset}`;
    const actual = await this.#digest.finish(digest, offset, () => this.#spool.open());
    return actual === digest ? undefined : `the bytes have the digest ${actual}`;
  }

  async #publish(verification: Promise<Stored>): Promise<Stored> {
    const stored = await verification;
    try {
      await this.#spool.publish(stored);
      return stored;
    } catch (error) {
      await this.#fail(error as Error);
      throw error;
    }
  }

  #isTooMuch(bytes: number): boolean {
    const { size } = this.#expected;
    return size !== undefined && this.offset + bytes > size;
  }

  #rejectTooMuch(): Promise<VerificationError> {
    return this.#reject(`more than the expected ${this.#expected.size} bytes`);
  }

  async #reject(message: string): Promise<VerificationError> {
    const error = new VerificationError(this.#expected, message);
    this.#progress.fail(error);
    try {
      await this.#spool.quarantine(this.#expected.digest);
    } catch {
      // The VerificationError matters more than the failure to keep the bytes.
      await this.#discard();
    }
    return error;
  }

  async #fail(reason: Error): Promise<void> {
    this.#progress.fail(reason);
    await this.#discard();
  }

  async #discard(): Promise<void> {
    try {
      await this.#spool.discard();
    } catch {
      // A leftover does no harm, and the next start sweeps it.
    }
  }

  #assertOpen(): void {
    this.#assertNotFailed();
    if (this.#verification !== undefined)
      throw new Error(`the ingest of ${nameOf(this.#expected)} has ended`);
  }

  #assertNotFailed(): void {
    if (this.#progress.reason !== undefined) throw this.#progress.reason;
  }
}

/** Waits for the end of work whose failure its own caller learns of. */
async function settled(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined);
}
