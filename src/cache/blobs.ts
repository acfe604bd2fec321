import { resolveRange, type RangeSpec } from '../http/range.ts';
import { createDigester, digestAlgorithm, type Digest } from '../oci/digest.ts';
import { StoreError, type BlobReader } from '../store/blob-store.ts';
import { UpstreamError } from '../upstream/error.ts';
import type { ByteRange } from '../upstream/upstream.ts';
import type { Belonging } from './belonging.ts';
import { BlobSource } from './blob-source.ts';
import { directPart } from './direct-part.ts';
import type { DiskError } from './disk.ts';
import type { Fill, FillOptions } from './fill.ts';
import { Fills } from './fills.ts';
import { Flights } from './flights.ts';
import type { LastUse } from './last-use.ts';
import { refusalKey, type NegativeCache } from './negative.ts';
import { CONFIRMED, HIT, type Outcome } from './outcome.ts';
import type { Recovered } from './recovered.ts';
import { isRefusal } from './refusal.ts';
import { ResilientReader } from './resilient-reader.ts';
import { SourceReader } from './source-reader.ts';
import type { SmallBlobs } from './small-blobs.ts';
import type { StoredBlobs } from './stored-blobs.ts';
import { isSameRepository, type Target } from './target.ts';
import { tolerate } from './tolerate.ts';

/** A blob ready to be sent. Whoever gets it closes the reader. */
export interface OpenedBlob {
  readonly reader: BlobReader;
  readonly outcome: Outcome;
}

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
  readonly #confirmations: Flights<{ readonly size: number | undefined }>;
  readonly #options: BlobsOptions;

  constructor(options: BlobsOptions) {
    this.#options = options;
    this.#fills = new Fills(options);
    this.#confirmations = new Flights(() => options.clock.monotonic());
  }

  /** Running fills. */
  get fills(): Pick<Fills, 'size' | 'get' | typeof Symbol.iterator> {
    return this.#fills;
  }

  /**
   * Opens a blob of the target's repository.
   * @param range what the client asked for, where it asked for a part
   * @throws UpstreamError where upstream says no or cannot be asked, and nothing that may be served is cached
   */
  async open(target: Target, digest: Digest, range: RangeSpec | undefined): Promise<OpenedBlob> {
    const { belonging, lastUse, small } = this.#options;
    const endings = this.#fills.endings(digest);
    const belongs = await belonging.has(target.key, digest);
    const reader = await small.open(digest);
    if (reader === undefined) return this.#openCold(target, digest, range, { belongs, endings });
    try {
      const outcome = belongs ? HIT : await this.#confirmStored(target, digest);
      lastUse.record(digest);
      return { reader: new ResilientReader(reader, target, digest, this.#options), outcome };
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
    range: RangeSpec | undefined,
    { belongs, endings }: { readonly belongs: boolean; readonly endings: number },
  ): Promise<OpenedBlob> {
    const running = this.#running(target, digest);
    // Another repository's fill is no permission: upstream is asked for this repository first.
    if (running !== undefined && !belongs && !isSameRepository(running.target, target)) {
      await this.#confirm(target, digest);
    }
    // What has ended since the store was asked may have put the blob there.
    if (endings !== this.#fills.endings(digest)) return this.open(target, digest, range);
    const diskError = this.#options.disk.error;
    const current = this.#running(target, digest);
    if (current === undefined && diskError !== undefined) {
      return this.#passThrough(target, digest, range, diskError);
    }
    const fill = current ?? this.#startFill(target, digest);
    const isCollapsed = current !== undefined;
    try {
      await fill.opened;
      return await this.#board(fill, target, range, isCollapsed);
    } catch (error) {
      if (error instanceof StoreError) return this.#passThrough(target, digest, range, error);
      // What failed through another repository, or before this client came aboard, says nothing of this one.
      if (!isCollapsed || (!fill.hasOpened && isSameRepository(fill.target, target))) throw error;
      await fill.ended;
      return this.open(target, digest, range);
    }
  }

  /** Follows an opened fill; or, for a range far ahead of it, asks upstream for just that. */
  async #board(
    fill: Fill,
    target: Target,
    range: RangeSpec | undefined,
    collapsed: boolean,
  ): Promise<OpenedBlob> {
    fill.join(target);
    if (range !== undefined) fill.finishAlone();
    const direct = await this.#openAhead(fill, target, range);
    if (direct !== undefined) return direct;
    const reader = new ResilientReader(await fill.follow(), target, fill.digest, this.#options);
    return { reader, outcome: { hit: false, fwd: 'uri-miss', stored: true, collapsed } };
  }

  /** A range far ahead of the fill, by itself. What cannot be had so comes with the fill, later. */
  async #openAhead(
    fill: Fill,
    target: Target,
    range: RangeSpec | undefined,
  ): Promise<OpenedBlob | undefined> {
    const part = directPart(range, fill);
    if (part === undefined) return undefined;
    fill.spendDirect(part);
    try {
      return await this.#openDirect(target, fill.digest, part, fill.size, 'range far ahead of the fill');
    } catch (error) {
      if (error instanceof UpstreamError) return undefined;
      throw error;
    }
  }

  #running(target: Target, digest: Digest): Fill | undefined {
    return this.#fills.get(target.key.upstream, digest);
  }

  #startFill(target: Target, digest: Digest): Fill {
    const { negative } = this.#options;
    const key = blobKey(target, digest);
    const known = negative.get(key);
    if (known !== undefined) throw known;
    const fill = this.#fills.start(target, digest);
    fill.opened.catch((error: unknown) => {
      if (isRefusal(error)) negative.put(key, error);
    });
    return fill;
  }

  /** While the store cannot take a blob: from upstream to this one client, and of a range only that. */
  async #passThrough(
    target: Target,
    digest: Digest,
    range: RangeSpec | undefined,
    cause: DiskError,
  ): Promise<OpenedBlob> {
    const { negative, index, events } = this.#options;
    const key = blobKey(target, digest);
    const known = negative.get(key);
    if (known !== undefined) throw known;
    const size = await tolerate(events, 'look up a size', () => index.describedSize(digest));
    try {
      return await this.#openDirect(target, digest, partOf(range, size), size, `store: ${cause.code}`);
    } catch (error) {
      if (isRefusal(error)) negative.put(key, error);
      throw error;
    }
  }

  /** From upstream to this one client, past the store. */
  async #openDirect(
    target: Target,
    digest: Digest,
    range: ByteRange,
    size: number | undefined,
    detail: string,
  ): Promise<OpenedBlob> {
    const source = await BlobSource.open(target, digest, range, this.#options);
    // A part cannot be verified before the whole is here; the client verifies what it puts together.
    const check =
      range.start === 0 && range.end === undefined
        ? { digest, digester: createDigester(digestAlgorithm(digest)) }
        : undefined;
    return {
      reader: new SourceReader(source, size, check),
      outcome: { hit: false, fwd: 'uri-miss', stored: false, detail },
    };
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

/** What to ask upstream for: a range only where the size that tells what it means is known. */
function partOf(range: RangeSpec | undefined, size: number | undefined): ByteRange {
  if (range === undefined || size === undefined) return { start: 0 };
  const resolved = resolveRange(range, size);
  if (typeof resolved === 'string' || resolved.end - resolved.start === size) return { start: 0 };
  return { start: resolved.start, end: resolved.end };
}

function blobKey(target: Target, digest: Digest): string {
  return refusalKey('blob', target.key, digest);
}
