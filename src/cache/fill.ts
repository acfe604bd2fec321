import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ContentIndex, RepositoryKey } from '../index/content-index.ts';
import type { Digest } from '../oci/digest.ts';
import {
  VerificationError,
  type BlobReader,
  type BlobStore,
  type Ingest,
  type Stored,
} from '../store/blob-store.ts';
import { ForwardingReader } from '../store/forwarding-reader.ts';
import { UpstreamError } from '../upstream/error.ts';
import type { ByteRange } from '../upstream/upstream.ts';
import type { Audience } from './audience.ts';
import { BlobSource } from './blob-source.ts';
import type { FillInView } from './direct-part.ts';
import { giveBack } from './give-back.ts';
import { isDiskError, type Disk } from './disk.ts';
import type { Belonging } from './permission/belonging.ts';
import { recordOrDrop } from './record.ts';
import { graceMs, isWorthFinishing } from './worth-finishing.ts';
import { isSameRepository, type Target } from './target.ts';
import { tolerate } from './tolerate.ts';

export interface FillOptions {
  readonly belonging: Belonging;
  readonly store: BlobStore;
  readonly index: ContentIndex;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly events: Events;
}

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
  readonly #options: FillOptions;
  readonly #cancellation = new AbortController();
  readonly #opening = Promise.withResolvers<void>();
  #source: BlobSource | undefined;
  #ingest: Ingest | undefined;
  #size: number | undefined;
  /** Other repositories that upstream has confirmed it for: what that was worth is known once all is verified. */
  readonly #boarded = new Map<string, RepositoryKey>();
  #followers = 0;
  #directBytes = 0;
  #isReadInParts = false;
  #isToBeginAnew = false;
  #cancelGrace: (() => void) | undefined;
  #isOver = false;

  /** @param audience the client that it is begun for is in it already */
  constructor(target: Target, digest: Digest, audience: Audience, options: FillOptions) {
    this.target = target;
    this.digest = digest;
    this.audience = audience;
    this.#options = options;
    this.opened = this.#opening.promise;
    // Everybody may have left before the answer is here.
    this.opened.catch(() => {});
    this.ended = this.#run();
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
    return this.#followers;
  }

  get directBytes(): number {
    return this.#directBytes;
  }

  /** A part is fetched beside the fill, which goes on: from now on the part counts, whatever becomes of it. */
  spendDirect({ start, end = this.#size ?? start }: ByteRange): void {
    this.#directBytes += end - start;
  }

  /** A client asks for a part: it may come back for another one. */
  readInParts(): void {
    this.#isReadInParts = true;
    if (this.#followers === 0) this.#waitForClients();
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
   * Once `ended`: whether wrong bytes may have come of putting the answers to several requests together. What one
   * answer sends wrong, it sends wrong again.
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
    const leave = this.audience.enter(client);
    this.#followers += 1;
    this.#cancelGrace?.();
    const left = (): void => {
      this.#followers -= 1;
      leave();
      if (this.#followers === 0) this.#waitForClients();
    };
    try {
      return new LeavingReader(await this.#ingest.follow(), left);
    } catch (error) {
      left();
      throw error;
    }
  }

  /** Ends the fill, whoever follows it. */
  cancel(): void {
    this.#cancelGrace?.();
    this.#cancellation.abort();
  }

  /** Gives the fill up after a while, unless a client comes or it is worth finishing without. */
  #waitForClients(): void {
    this.#cancelGrace?.();
    if (this.#isOver) return;
    this.#cancelGrace = this.#options.clock.after(graceMs(this.#isReadInParts), () => {
      if (this.#followers === 0 && !isWorthFinishing(this)) this.cancel();
    });
  }

  async #run(): Promise<void> {
    const { events } = this.#options;
    const upstream = this.target.key.upstream;
    events.emit({ kind: 'fill-started', upstream, digest: this.digest });
    try {
      await this.#transfer();
      this.#tellEnd('stored');
    } catch (error) {
      this.#opening.reject(error);
      this.#tellFailure(error);
      if (error instanceof VerificationError) {
        events.emit({ kind: 'verification-failed', upstream, digest: this.digest, error });
      }
      this.#tellEnd(this.isCancelled ? 'abandoned' : 'failed', error);
    } finally {
      this.#isOver = true;
      this.#cancelGrace?.();
    }
  }

  async #transfer(): Promise<void> {
    const { store, clock, events } = this.#options;
    const { signal } = this.#cancellation;
    const options = { signal, clock, events, demand: this.audience };
    const source = await BlobSource.open(this.target, this.digest, { start: 0 }, options);
    this.#source = source;
    try {
      this.#size = source.size ?? (await this.#describedSize());
      const ingest = await store.ingest({ digest: this.digest, size: this.#size });
      this.#ingest = ingest;
      this.#opening.resolve();
      this.#waitForClients();
      await this.#pour(source, ingest);
      await this.#record(await ingest.commit(), source.isWholeFromFirst);
    } catch (error) {
      this.#isToBeginAnew = error instanceof VerificationError && source.isPutTogether;
      await this.#ingest?.abort(asError(error));
      throw error;
    } finally {
      this.#source = undefined;
      source.destroy();
    }
  }

  async #pour(source: BlobSource, ingest: Ingest): Promise<void> {
    for await (const pieces of source.pieces()) {
      if (this.isCancelled) throw this.#abandoned();
      await ingest.write(pieces);
      for (const piece of pieces) giveBack(piece);
    }
  }

  /** @param isGiven whether all of the bytes came through the repository that the fill was begun for */
  async #record(stored: Stored, isGiven: boolean): Promise<void> {
    const { belonging, index, clock } = this.#options;
    try {
      // First of all: a follower that has just got its last byte may ask again at once.
      if (isGiven) await belonging.add(this.target.key, this.digest, 'given');
      for (const key of this.#boarded.values()) await belonging.add(key, this.digest, 'confirmed');
      await recordOrDrop(this.#options, stored.digest, () => index.putBlob(stored, clock.now()));
    } catch (error) {
      this.#tellFailure(error);
    }
  }

  /** Once for each fill, however many follow it. */
  #tellFailure(error: unknown): void {
    const { disk, events } = this.#options;
    if (!isDiskError(error)) return;
    disk.failed(error, this.#size ?? this.offset);
    events.emit({ kind: 'store-failed', operation: 'fill', error });
  }

  /** A manifest's word for the size: believed only where upstream itself does not tell one. */
  #describedSize(): Promise<number | undefined> {
    const { index, events } = this.#options;
    return tolerate(events, 'look up a size', () => index.describedSize(this.digest));
  }

  #abandoned(): UpstreamError {
    return new UpstreamError(
      this.target.key.upstream,
      'unavailable',
      'cancelled',
      `the fill of ${this.digest} was given up: nobody waited for it`,
    );
  }

  #tellEnd(outcome: 'stored' | 'failed' | 'abandoned', error?: unknown): void {
    this.#options.events.emit({
      kind: 'fill-ended',
      upstream: this.target.key.upstream,
      digest: this.digest,
      outcome,
      bytes: this.offset,
      error,
    });
  }
}

/** A reader that says once that it is gone. */
class LeavingReader extends ForwardingReader {
  #onClose: (() => void) | undefined;

  constructor(inner: BlobReader, onClose: () => void) {
    super(inner);
    this.#onClose = onClose;
  }

  override async close(): Promise<void> {
    const onClose = this.#onClose;
    this.#onClose = undefined;
    onClose?.();
    await super.close();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
