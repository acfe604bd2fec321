import type { RepositoryKey } from '../../index/repository-key.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobReader, Ingest, Stored } from '../../store/blob-store.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { Allowance } from './allowance.ts';
import type { Audience } from '../audience.ts';
import { BlobSource } from '../transfer/blob-source.ts';
import type { DirectPart, FillInView } from './direct-part.ts';
import { giveBack } from './give-back.ts';
import { FailedReader } from './failed-reader.ts';
import type { FillOptions } from './fill-options.ts';
import { FillReport } from './fill-report.ts';
import { Followers } from './followers.ts';
import { LeavingReader } from './leaving-reader.ts';
import { Relay, type PieceSource } from './relay.ts';
import { RelaySource } from './relay-source.ts';
import { recordOrDrop } from '../../content/record.ts';
import { isWorthFinishing } from './worth-finishing.ts';
import { isSameRepository, type Target } from '../target.ts';
import { tolerate } from '../../content/tolerate.ts';
import { byteLength } from '../transfer/wanted-part.ts';

/**
 * The one fetch of a digest from one upstream: upstream → ingest, with every client a follower of the ingest. It owns its
 * upstream request and its own cancellation; no client's coming, going or slowness touches it.
 */
export class Fill implements FillInView {
  readonly target: Target;
  readonly digest: Digest;
  /** The clients that follow it, or wait to. */
  readonly audience: Audience;
  /**
   * Resolves when upstream's headers are here and there is something to follow.
   * Rejects with UpstreamError or StoreError where it does not come to that.
   */
  readonly opened: Promise<void>;
  /** Resolves when the fill is over, well or badly. Never rejects. */
  readonly ended: Promise<void>;
  /** Resolves when it is known that no more of it will come into the store: at its end, or before. */
  readonly settled: Promise<void>;
  readonly #options: FillOptions;
  readonly #cancellation = new AbortController();
  readonly #opening = Promise.withResolvers<void>();
  readonly #refused = Promise.withResolvers<void>();
  #source: BlobSource | undefined;
  #ingest: Ingest | undefined;
  #size: number | undefined;
  /** Other repositories that upstream has confirmed it for: what that was worth is known once all is verified. */
  readonly #boarded = new Map<string, RepositoryKey>();
  readonly #followers: Followers;
  #directBytes = 0;
  #isToBeginAnew = false;
  /** What is under way to the store. */
  #writing: Promise<void> | undefined;
  #hasRoom = true;
  #relay: Relay | undefined;
  /** Why the store does not take it. */
  #refusal: StoreError | undefined;
  readonly #report: FillReport;

  /** @param audience the client that it is begun for is in it already */
  constructor(target: Target, digest: Digest, audience: Audience, options: FillOptions) {
    this.target = target;
    this.digest = digest;
    this.audience = audience;
    this.#followers = new Followers(audience, options.clock, () => this.#deserted());
    this.#options = options;
    this.#report = new FillReport({ ...options, upstream: target.key.registry, digest });
    this.opened = this.#opening.promise;
    // Everybody may have left before the answer is here.
    this.opened.catch(() => {});
    this.ended = this.#run();
    this.settled = Promise.race([this.ended, this.#refused.promise]);
  }

  /** Whether `opened` has resolved. */
  get hasOpened(): boolean {
    return this.#ingest !== undefined;
  }

  get offset(): number {
    return this.#ingest?.offset ?? 0;
  }

  /** Known once `opened`, where upstream or a manifest tells it. */
  get size(): number | undefined {
    return this.#size;
  }

  get followers(): number {
    return this.#followers.count;
  }

  get directBytes(): number {
    return this.#directBytes;
  }

  /** A part is fetched beside the fill, which goes on: from now on the part counts, whatever becomes of it. */
  spendDirect({ start, end }: DirectPart): void {
    this.#directBytes += end - start;
  }

  /** A client asks for a part: it may come back for another one. */
  readInParts(): void {
    this.#followers.readInParts();
  }

  /** The blob belongs to another repository, too: where this transfer breaks or stalls, it goes on from there. */
  join(target: Target): void {
    if (!isSameRepository(this.target, target)) this.#boarded.set(target.key.repository, target.key);
    this.#source?.join(target);
  }

  /** Whether it was given up. It ends soon, and who comes now finds nothing but a broken transfer. */
  get isCancelled(): boolean {
    return this.#cancellation.signal.aborted;
  }

  /**
   * Once `ended`: whether it may go better without what was wrong with it. The answers to several requests may not belong
   * together, and a manifest may lie about the size. What one answer sends wrong, it sends wrong again.
   */
  get isToBeginAnew(): boolean {
    return this.#isToBeginAnew;
  }

  /**
   * A reader of the bytes as they arrive. To be called once `opened`.
   * @throws UpstreamError `cancelled` where it was given up meanwhile
   */
  async follow(client: string): Promise<BlobReader> {
    if (this.#ingest === undefined) throw new Error(`the fill of ${this.digest} has not been opened`);
    if (this.isCancelled) throw this.#abandoned();
    const leave = this.#followers.attend(client);
    try {
      return new LeavingReader(await this.#follower(this.#ingest), this.#size, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * For a follower whose reader has failed: the transfer goes on for all of them, past the store.
   * @param open begins a transfer for this follower alone
   * @returns undefined where it does not, or not from `position` on
   */
  async relayed(
    client: string,
    position: number,
    open: (position: number) => Promise<PieceSource>,
  ): Promise<PieceSource | undefined> {
    // Followers hear of a failing store before this does.
    await this.#writing?.catch(() => {});
    const seat = this.#relay?.join(position);
    if (seat === undefined) return undefined;
    return new RelaySource({ seat, size: this.#size, open, onEnd: this.#followers.attend(client) });
  }

  /** Whether the cache has room for it, as far as that is known. */
  get isKept(): boolean {
    return this.#hasRoom && this.#refusal === undefined;
  }

  /** Whether clients may board: not once its bytes are not kept, or it was given up. */
  get isBoardable(): boolean {
    return this.#relay === undefined && !this.isCancelled;
  }

  /** Ends the fill, whoever follows it. */
  cancel(): void {
    this.#followers.end();
    this.#cancellation.abort();
    this.#relay?.end(this.#abandoned());
  }

  /** What the store does not take at all is relayed from its first byte. */
  #follower(ingest: Ingest): Promise<BlobReader> | BlobReader {
    const refusal = ingest.offset === 0 ? this.#refusal : undefined;
    return refusal === undefined ? ingest.follow() : new FailedReader(this.#size, refusal);
  }

  /** No client has come back: what is worth it goes on, but not what is not kept. */
  #deserted(): void {
    if (this.#followers.count === 0 && !(this.isBoardable && isWorthFinishing(this))) this.cancel();
  }

  async #run(): Promise<void> {
    try {
      await this.#transfer();
      this.#report.ended('stored', this.offset);
    } catch (error) {
      this.#opening.reject(error);
      this.#tellFailure(error);
      this.#report.ended(this.isCancelled ? 'abandoned' : 'failed', this.offset, error);
    } finally {
      this.#followers.end();
    }
  }

  async #transfer(): Promise<void> {
    const { store, clock, events } = this.#options;
    const { signal } = this.#cancellation;
    const options = { signal, clock, events, demand: this.audience };
    const source = (this.#source = await BlobSource.open(this.target, this.digest, { start: 0 }, options));
    try {
      this.#size = source.size ?? (await this.#describedSize());
      const allowance = new Allowance(this.#options.room);
      // What there is no room for at all is not announced to the store: something else would have to go for it.
      this.#hasRoom = await allowance.ask(this);
      const size = this.#hasRoom ? this.#size : undefined;
      const ingest = await store.ingest({ digest: this.digest, size });
      this.#ingest = ingest;
      this.#opening.resolve();
      this.#followers.wait();
      await this.#pour(source, ingest, allowance);
      await this.#record(await ingest.commit(), source.isWholeFromFirst);
    } catch (error) {
      this.#relay?.end(error);
      const isDescribed = source.size === undefined && this.#size !== undefined;
      this.#isToBeginAnew = error instanceof VerificationError && (source.isPutTogether || isDescribed);
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

  /** Where the store cannot take the bytes, or may not, the transfer goes on for those who follow it. */
  async #write(ingest: Ingest, pieces: readonly Uint8Array[], allowance: Allowance): Promise<void> {
    try {
      await allowance.spend(byteLength(pieces), this);
      await ingest.write(pieces);
      for (const piece of pieces) giveBack(piece);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#refusal = error;
      this.#refused.resolve();
      this.#relay = new Relay(ingest.offset, this.#options.clock);
      this.#tellFailure(error);
      await ingest.abort(error);
      this.#followers.waitNoMore();
    }
  }

  /** @param isGiven whether all of the bytes came through the repository that the fill was begun for */
  async #record(stored: Stored, isGiven: boolean): Promise<void> {
    const { belonging, index, clock } = this.#options;
    try {
      // First of all: a follower that has just got its last byte may ask again at once.
      if (isGiven) await belonging.add(this.target.key, this.digest, 'given');
      else await belonging.addOrigin(this.target.key.registry, this.digest);
      for (const key of this.#boarded.values()) await belonging.add(key, this.digest, 'confirmed');
      await recordOrDrop(this.#options, stored.digest, () => index.putBlob(stored, clock.now()));
    } catch (error) {
      this.#tellFailure(error);
    }
  }

  #tellFailure(error: unknown): void {
    this.#report.failed(error, this.#size ?? this.offset);
  }

  /** A manifest's word for the size: believed only where upstream itself does not tell one, and once. */
  async #describedSize(): Promise<number | undefined> {
    const { index, events, isAgain } = this.#options;
    if (isAgain === true) return undefined;
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
