import type { Digest } from '../../oci/digest.ts';
import type { BlobReader, Ingest } from '../../store/blob-store.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { Allowance } from './allowance.ts';
import type { FillClients } from '../fill-clients.ts';
import { BlobSource } from '../transfer/blob-source.ts';
import type { DirectPart, FillInView } from './direct-part.ts';
import { FailedReader } from './failed-reader.ts';
import type { FillOptions } from './fill-options.ts';
import { FillRecord } from './fill-record.ts';
import { FillReport } from './fill-report.ts';
import { Followers } from './followers.ts';
import { LeavingReader } from './leaving-reader.ts';
import { Relay, type PieceSource } from './relay.ts';
import { RelaySource } from './relay-source.ts';
import { isWorthFinishing } from './worth-finishing.ts';
import { isSameRepository, type Target } from '../target.ts';
import { tolerate } from '../../tolerate.ts';
import { byteLength } from '../transfer/wanted-part.ts';

/**
 * The one fetch of a digest from one upstream: upstream → ingest, with every client a follower of the ingest. The
 * fill owns its upstream request and its cancellation; no client's coming, going or slowness touches it.
 */
export class Fill implements FillInView {
  readonly target: Target;
  readonly digest: Digest;
  /** The clients that follow the fill, or wait to. */
  readonly audience: FillClients;
  /**
   * Resolves when upstream's headers are here and followers can read.
   * Rejects with UpstreamError or StoreError if the fill fails before.
   */
  readonly opened: Promise<void>;
  /** Resolves when the fill is over, whether it succeeded or failed. Never rejects. */
  readonly ended: Promise<void>;
  /** Resolves when it is known that the store will take no more of the blob: when the fill ends, or before. */
  readonly settled: Promise<void>;
  /** Resolves when all bytes are here and right, so that followers get all of them; at the latest with `settled`. */
  readonly verified: Promise<void>;
  readonly #options: FillOptions;
  readonly #cancellation = new AbortController();
  readonly #opening = Promise.withResolvers<void>();
  readonly #refused = Promise.withResolvers<void>();
  readonly #verifying = Promise.withResolvers<void>();
  #source: BlobSource | undefined;
  #ingest: Ingest | undefined;
  #size: number | undefined;
  readonly #followers: Followers;
  #directBytes = 0;
  #isWorthRetrying = false;
  /** The running write to the store. */
  #writing: Promise<void> | undefined;
  #hasRoom = true;
  #relay: Relay | undefined;
  /** The error with which the store refused the blob. */
  #refusal: StoreError | undefined;
  readonly #report: FillReport;
  readonly #record: FillRecord;

  /** @param audience already contains the client that the fill is begun for */
  constructor(target: Target, digest: Digest, audience: FillClients, options: FillOptions) {
    this.target = target;
    this.digest = digest;
    this.audience = audience;
    this.#followers = new Followers(audience, options.clock, () => this.#deserted());
    this.#options = options;
    this.#report = new FillReport({ ...options, upstream: target.key.registry, digest });
    const onFailed = (error: unknown): void => this.#reportFailure(error);
    this.#record = new FillRecord(target.key, digest, onFailed, options);
    this.opened = this.#opening.promise;
    // All clients may have left before the answer is here.
    this.opened.catch(() => {});
    this.ended = this.#run();
    this.settled = Promise.race([this.ended, this.#refused.promise]);
    this.verified = Promise.race([this.settled, this.#verifying.promise]);
  }

  /** Whether `opened` has resolved. */
  get hasOpened(): boolean {
    return this.#ingest !== undefined;
  }

  get offset(): number {
    return this.#ingest?.offset ?? 0;
  }

  /** The blob's size in bytes: known once `opened` if upstream or a manifest tells it, else once all is verified. */
  get size(): number | undefined {
    return this.#size;
  }

  get followers(): number {
    return this.#followers.count;
  }

  get directBytes(): number {
    return this.#directBytes;
  }

  /** Counts a part that is fetched beside the fill; it counts even if that fetch fails. */
  spendDirect({ start, end }: DirectPart): void {
    this.#directBytes += end - start;
  }

  /** Notes that a client has asked for a part: it may come back for another one. */
  readInParts(): void {
    this.#followers.readInParts();
  }

  /** Adds another repository that the blob belongs to: if this transfer breaks or stalls, it goes on from there. */
  join(target: Target): void {
    if (!isSameRepository(this.target, target)) this.#record.join(target.key);
    this.#source?.join(target);
  }

  /** Whether the fill was given up. It ends soon, and a client that came now would find only a broken transfer. */
  get isCancelled(): boolean {
    return this.#cancellation.signal.aborted;
  }

  /**
   * Whether another fill may succeed, known once `ended`. It may if the bytes came from several answers, which may not
   * belong together, or if a manifest told a wrong size. If a single answer was wrong, it would be wrong again.
   */
  get isWorthRetrying(): boolean {
    return this.#isWorthRetrying;
  }

  /**
   * Returns a reader of the bytes as they arrive. May be called once `opened`.
   * @throws UpstreamError `cancelled` if the fill was given up meanwhile
   */
  async follow(client: string): Promise<BlobReader> {
    if (this.#ingest === undefined) throw new Error(`the fill of ${this.digest} has not been opened`);
    if (this.isCancelled) throw this.#abandoned();
    const leave = this.#followers.attend(client);
    try {
      return new LeavingReader(await this.#openReader(this.#ingest), this.#size, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * Returns the source from which a follower reads on after its reader has failed: the transfer goes on for all
   * followers, past the store.
   * @param open begins a transfer for this follower alone
   * @returns undefined if the transfer does not go on, or not from `position`
   */
  async joinRelay(
    client: string,
    position: number,
    open: (position: number) => Promise<PieceSource>,
  ): Promise<PieceSource | undefined> {
    // Followers notice a failing store before the fill does.
    await this.#writing?.catch(() => {});
    const seat = this.#relay?.join(position);
    if (seat === undefined) return undefined;
    return new RelaySource({ seat, size: this.#size, open, onEnd: this.#followers.attend(client) });
  }

  /** Whether the store keeps the blob, as far as that is known. */
  get isKept(): boolean {
    return this.#hasRoom && this.#refusal === undefined;
  }

  /** Whether clients may board: not after the store has refused the bytes, or the fill was given up. */
  get isBoardable(): boolean {
    return this.#relay === undefined && !this.isCancelled;
  }

  /** Ends the fill, even if clients follow it. */
  cancel(): void {
    this.#followers.end();
    this.#cancellation.abort();
    this.#relay?.end(this.#abandoned());
  }

  /** Opens a reader. If the store takes no byte of the blob, the reader fails, and all bytes are relayed. */
  #openReader(ingest: Ingest): Promise<BlobReader> | BlobReader {
    const refusal = ingest.offset === 0 ? this.#refusal : undefined;
    return refusal === undefined ? ingest.follow() : new FailedReader(this.#size, refusal);
  }

  /** Gives the fill up after no client has come back, unless its bytes are kept and it is worth finishing. */
  #deserted(): void {
    if (this.#followers.count === 0 && !(this.isBoardable && isWorthFinishing(this))) this.cancel();
  }

  async #run(): Promise<void> {
    try {
      await this.#transfer();
      this.#report.ended('stored', this.offset);
    } catch (error) {
      this.#opening.reject(error);
      this.#reportFailure(error);
      this.#report.ended(this.isCancelled ? 'abandoned' : 'failed', this.offset, error);
    } finally {
      this.#followers.end();
    }
  }

  async #transfer(): Promise<void> {
    const { store, clock, events } = this.#options;
    const { signal } = this.#cancellation;
    const described = await this.#describedSize();
    const options = { signal, clock, events, demand: this.audience, describedSize: described };
    const source = (this.#source = await BlobSource.open(this.target, this.digest, { start: 0 }, options));
    try {
      // What a manifest tells is believed only if upstream itself tells nothing, and only once.
      this.#size = source.size ?? (this.#options.isRetry === true ? undefined : described);
      const allowance = new Allowance(this.#options.room);
      // The size is not announced if there is no room at all: the store would evict other content for it.
      this.#hasRoom = await allowance.ask(this);
      const size = this.#hasRoom ? this.#size : undefined;
      const ingest = await store.ingest({ digest: this.digest, size });
      this.#ingest = ingest;
      this.#opening.resolve();
      this.#followers.wait();
      await this.#pour(source, ingest, allowance);
      await this.#keep(ingest, source.isWholeFromFirst);
    } catch (error) {
      this.#relay?.end(error);
      const isDescribed = source.size === undefined && this.#size !== undefined;
      this.#isWorthRetrying = error instanceof VerificationError && (source.isPutTogether || isDescribed);
      await this.#ingest?.abort(asError(error));
      throw error;
    } finally {
      this.#source = undefined;
      source.destroy();
    }
  }

  async #pour(source: BlobSource, ingest: Ingest, allowance: Allowance): Promise<void> {
    for await (const pieces of source.pieces()) {
      if (this.isCancelled) throw this.#abandoned();
      if (this.#relay === undefined) {
        this.#writing = this.#write(ingest, pieces, allowance);
        await this.#writing;
      }
      await this.#relay?.push(pieces);
    }
    this.#relay?.end();
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /** Writes pieces to the store. If the store cannot take them, or may not, the transfer goes on for the followers. */
  async #write(ingest: Ingest, pieces: readonly Uint8Array[], allowance: Allowance): Promise<void> {
    try {
      await allowance.spend(byteLength(pieces), this);
      await ingest.write(pieces);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#refusal = error;
      this.#refused.resolve();
      this.#relay = new Relay(ingest.offset, this.#options.clock);
      this.#reportFailure(error);
      await ingest.abort(error);
      this.#followers.waitNoMore();
    }
  }

  /**
   * Verifies the bytes, which ends the transfer for the followers, and stores them. Until they are stored, new clients
   * board the fill and read its file.
   * @param isGiven whether all bytes came through the repository that the fill was begun for
   */
  async #keep(ingest: Ingest, isGiven: boolean): Promise<void> {
    this.#size = (await ingest.verify()).size;
    this.#verifying.resolve();
    // This comes before the store shows the bytes: a client that gets them from there needs no further word of upstream.
    await this.#record.putBelongings(isGiven);
    await this.#record.putBlob(await ingest.commit());
  }

  #reportFailure(error: unknown): void {
    this.#report.failed(error, this.#size ?? this.offset);
  }

  /** Returns the size that a manifest tells. */
  async #describedSize(): Promise<number | undefined> {
    const { index, events } = this.#options;
    return tolerate(events, 'look up a size', () => index.describedSize(this.digest));
  }

  #abandoned(): UpstreamError {
    const message = `the fill of ${this.digest} was given up: nobody waited for it`;
    return new UpstreamError(this.target.key.registry, 'unavailable', 'cancelled', message);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
