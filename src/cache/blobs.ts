import type { Digest } from '../oci/digest.ts';
import { StoreError, type BlobReader } from '../store/blob-store.ts';
import { UpstreamError } from '../upstream/error.ts';
import { Audience, demandOf } from './audience.ts';
import type { Belonging } from './belonging.ts';
import type { Asked, OpenedBlob } from './asked.ts';
import { directPart } from './direct-part.ts';
import type { Fill, FillOptions } from './fill.ts';
import { Fills } from './fills.ts';
import { Flights } from './flights.ts';
import type { LastUse } from './last-use.ts';
import { refusalKey, type NegativeCache } from './negative.ts';
import { CONFIRMED, HIT, type Outcome } from './outcome.ts';
import type { Recovered } from './recovered.ts';
import { isRefusal } from './refusal.ts';
import { PastStore } from './past-store.ts';
import { ResilientReader } from './resilient-reader.ts';
import type { SmallBlobs } from './small-blobs.ts';
import type { StoredBlobs } from './stored-blobs.ts';
import { isSameRepository, type Target } from './target.ts';
import { tolerate } from './tolerate.ts';

export interface BlobStat {
  /** Bytes; undefined where upstream does not tell. */
  readonly size: number | undefined;
  readonly outcome: Outcome;
}

export interface BlobsOptions extends FillOptions {
  readonly belonging: Belonging;
  readonly recovered: Recovered;
  readonly stored: StoredBlobs;
  readonly small: SmallBlobs;
  readonly lastUse: LastUse;
  readonly negative: NegativeCache;
}

/** Blobs by digest: from disk, or through the one fill of their upstream and digest. */
export class Blobs {
  readonly #fills: Fills;
  readonly #pastStore: PastStore;
  readonly #confirmations: Flights<{ readonly size: number | undefined }>;
  readonly #options: BlobsOptions;

  constructor(options: BlobsOptions) {
    this.#options = options;
    this.#fills = new Fills(options);
    this.#pastStore = new PastStore(options);
    this.#confirmations = new Flights(() => options.clock.monotonic());
  }

  /** Running fills. */
  get fills(): Pick<Fills, 'size' | 'get' | typeof Symbol.iterator> {
    return this.#fills;
  }

  /**
   * Opens a blob of the target's repository.
   * @throws UpstreamError where upstream says no or cannot be asked, and nothing that may be served is cached
   */
  async open(target: Target, digest: Digest, asked: Asked): Promise<OpenedBlob> {
    const { belonging, lastUse, small } = this.#options;
    const endings = this.#fills.endings(digest);
    const belongs = await belonging.has(target.key, digest);
    const reader = await small.open(digest);
    if (reader === undefined) return this.#openCold(target, digest, asked, { belongs, endings });
    try {
      const outcome = belongs ? HIT : await this.#confirmStored(target, digest);
      lastUse.record(digest);
      return { reader: this.#resilient(reader, target, digest, asked), outcome };
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  /** Whether the repository has the blob, and its size, without fetching it. */
  async stat(target: Target, digest: Digest): Promise<BlobStat> {
    const { belonging, stored, index, events } = this.#options;
    const here = await stored.stat(digest);
    const running = this.#running(target, digest);
    const known = here ?? running;
    const belongs =
      known?.size !== undefined &&
      // Upstream has begun to give it for this repository: it would say no more by HEAD.
      (isOf(running, target) || (await belonging.has(target.key, digest)));
    if (belongs) return { size: known.size, outcome: HIT };
    if (here !== undefined) return { size: here.size, outcome: await this.#confirmStored(target, digest) };
    const { size } = await this.#confirm(target, digest);
    const described =
      size ?? known?.size ?? (await tolerate(events, 'look up a size', () => index.describedSize(digest)));
    return { size: described, outcome: known === undefined ? { hit: false, fwd: 'uri-miss' } : CONFIRMED };
  }

  /** Ends every fill, and resolves when all have ended. */
  async close(): Promise<void> {
    await this.#fills.close();
  }

  async #openCold(
    target: Target,
    digest: Digest,
    asked: Asked,
    { belongs, endings }: { readonly belongs: boolean; readonly endings: number },
  ): Promise<OpenedBlob> {
    const running = this.#running(target, digest);
    // Another repository's fill is no permission: upstream is asked for this repository first.
    if (running !== undefined && !belongs && !isSameRepository(running.target, target)) {
      await this.#confirm(target, digest);
    }
    // What has ended since the store was asked may have put the blob there.
    if (endings !== this.#fills.endings(digest)) return this.open(target, digest, asked);
    const diskError = this.#options.disk.error;
    const current = this.#running(target, digest);
    if (current === undefined && diskError !== undefined) {
      return this.#pastStore.open(target, digest, asked, diskError);
    }
    const audience = current?.audience ?? new Audience();
    const leave = audience.enter(asked.client);
    try {
      const fill = current ?? this.#startFill(target, digest, audience);
      return await this.#whenOpened(fill, target, asked, current !== undefined);
    } finally {
      leave();
    }
  }

  async #whenOpened(fill: Fill, target: Target, asked: Asked, isCollapsed: boolean): Promise<OpenedBlob> {
    try {
      await fill.opened;
      return await this.#board(fill, target, asked, isCollapsed);
    } catch (error) {
      const { digest } = fill;
      if (error instanceof StoreError) return this.#pastStore.open(target, digest, asked, error);
      // What failed through another repository, or before this client came aboard, says nothing of this one.
      if (!isCollapsed || (!fill.hasOpened && isSameRepository(fill.target, target))) throw error;
      await fill.ended;
      return this.open(target, digest, asked);
    }
  }

  /** Follows an opened fill; or, for a range far ahead of it, asks upstream for just that. */
  async #board(fill: Fill, target: Target, asked: Asked, collapsed: boolean): Promise<OpenedBlob> {
    fill.join(target);
    if (asked.range !== undefined) fill.readInParts();
    const direct = await this.#openAhead(fill, target, asked);
    if (direct !== undefined) return direct;
    const follower = await fill.follow(asked.client);
    const reader = this.#resilient(follower, target, fill.digest, asked);
    return { reader, outcome: { hit: false, fwd: 'uri-miss', stored: true, collapsed } };
  }

  /** A range far ahead of the fill, by itself. What cannot be had so comes with the fill, later. */
  async #openAhead(fill: Fill, target: Target, asked: Asked): Promise<OpenedBlob | undefined> {
    const part = directPart(asked.range, fill);
    if (part === undefined) return undefined;
    fill.spendDirect(part);
    try {
      return await this.#pastStore.openPart(target, fill, part, asked.client);
    } catch (error) {
      if (error instanceof UpstreamError) return undefined;
      throw error;
    }
  }

  #running(target: Target, digest: Digest): Fill | undefined {
    return this.#fills.get(target.key.upstream, digest);
  }

  #resilient(reader: BlobReader, target: Target, digest: Digest, { client }: Asked): BlobReader {
    return new ResilientReader(reader, target, digest, { ...this.#options, demand: demandOf(client) });
  }

  #startFill(target: Target, digest: Digest, audience: Audience): Fill {
    const { negative } = this.#options;
    const key = blobKey(target, digest);
    const known = negative.get(key);
    if (known !== undefined) throw known;
    const fill = this.#fills.start(target, digest, audience);
    fill.opened.catch((error: unknown) => {
      if (isRefusal(error)) negative.put(key, error);
    });
    return fill;
  }

  /** Asks upstream whether the repository has the blob, one question at a time for each. */
  async #confirm(target: Target, digest: Digest): Promise<{ readonly size: number | undefined }> {
    const { negative, belonging } = this.#options;
    const key = blobKey(target, digest);
    const known = negative.get(key);
    if (known !== undefined) throw known;
    const run = async (): Promise<{ readonly size: number | undefined }> => {
      try {
        const stat = await target.upstream.statBlob(target.key.repository, digest);
        await belonging.add(target.key, digest);
        return stat;
      } catch (error) {
        if (isRefusal(error)) negative.put(key, error);
        throw error;
      }
    };
    return this.#confirmations.join(key, run).promise;
  }

  /** How bytes that are here are served through a repository that they are not known to belong to. */
  async #confirmStored(target: Target, digest: Digest): Promise<Outcome> {
    try {
      await this.#confirm(target, digest);
      return CONFIRMED;
    } catch (error) {
      return this.#options.recovered.outcomeDespite(error, digest);
    }
  }
}

/** Whether the fill is had through the target's repository. */
function isOf(fill: Fill | undefined, target: Target): boolean {
  return fill?.hasOpened === true && isSameRepository(fill.target, target);
}

function blobKey(target: Target, digest: Digest): string {
  return refusalKey('blob', target.key, digest);
}
