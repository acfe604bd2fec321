import { resolveRanges } from '../../http/ranges/range-set.ts';
import type { ContentRange } from '../../http/ranges/range.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { StoreError } from '../../store/error.ts';
import type { ToldBlob } from '../../upstream/upstream.ts';
import { Audience, demandOf } from '../audience.ts';
import type { BlobStat, OpenedBlob } from '../../repository/opened-blob.ts';
import type { BlobQuestion } from '../../repository/repository.ts';
import { directPart, type DirectPart } from '../fill/direct-part.ts';
import type { Fill } from '../fill/fill.ts';
import type { FillOptions } from '../fill/fill-options.ts';
import { Fills } from '../fill/fills.ts';
import { Questions } from '../questions.ts';
import type { LastUse } from '../last-use.ts';
import { refusalKey, type NegativeCache } from '../negative.ts';
import { CONFIRMED, HIT, type Outcome } from '../../repository/outcome.ts';
import type { Belonging } from '../permission/belonging.ts';
import type { HeldContent } from '../permission/confirms.ts';
import type { Permission } from '../permission/permission.ts';
import { isRefusal } from '../refusal.ts';
import { MAX_ALONE, PartsReader } from './parts-reader.ts';
import { PastStore } from './past-store.ts';
import { ResilientReader } from './resilient-reader.ts';
import type { SmallBlobs } from '../../content/small-blobs.ts';
import type { StoredBlobs } from '../../content/stored-blobs.ts';
import { isSameRepository, type Target } from '../target.ts';
import { tolerate } from '../../content/tolerate.ts';

export interface BlobPullerOptions extends FillOptions {
  readonly belonging: Belonging;
  readonly permission: Permission;
  readonly stored: StoredBlobs;
  readonly small: SmallBlobs;
  readonly lastUse: LastUse;
  readonly negative: NegativeCache;
}

/** Blobs by digest: from disk, or through the one fill of their upstream and digest. */
export class BlobPuller {
  readonly #fills: Fills;
  readonly #pastStore: PastStore;
  readonly #questions: Questions<ToldBlob>;
  readonly #options: BlobPullerOptions;

  constructor(options: BlobPullerOptions) {
    this.#options = options;
    this.#fills = new Fills(options);
    this.#pastStore = new PastStore(options);
    this.#questions = new Questions(options.negative, options.clock);
  }

  /** Running fills. */
  get fills(): Pick<Fills, 'size' | 'get' | typeof Symbol.iterator> {
    return this.#fills;
  }

  /**
   * Opens a blob of the target's repository.
   * @throws UpstreamError where upstream says no or cannot be asked, and nothing that may be served is cached
   */
  async open(target: Target, digest: Digest, asked: BlobQuestion): Promise<OpenedBlob> {
    const endings = this.#fills.endings(digest);
    const stored = await this.#openStored(target, digest, asked);
    return stored ?? this.#openCold(target, digest, asked, endings);
  }

  /** Whether the repository has the blob, and its size, without fetching it. */
  async stat(target: Target, digest: Digest, client: string): Promise<BlobStat> {
    const { permission, belonging, stored, index, events } = this.#options;
    const here = await tolerate(events, 'look up a blob', () => stored.stat(digest));
    const permit =
      here === undefined ? 'fetch' : await permission.ask(target, contentOf(digest, here.size), client);
    if (here !== undefined && permit !== 'fetch') return { size: here.size, outcome: permit };
    const running = this.#running(target, digest);
    const isBoardable =
      running?.size !== undefined &&
      // Upstream has begun to give it for this repository: it would say no more by HEAD.
      (isOf(running, target) || (await belonging.has(target.key, digest)));
    if (isBoardable) return { size: running.size, outcome: HIT };
    const { size } = await this.#told(target, digest, client);
    const described =
      size ?? running?.size ?? (await tolerate(events, 'look up a size', () => index.describedSize(digest)));
    return { size: described, outcome: running === undefined ? MISS : CONFIRMED };
  }

  /** Ends every fill, and resolves when all have ended. */
  async close(): Promise<void> {
    await this.#fills.close();
  }

  /** Undefined where nothing is stored, or only upstream's bytes can prove that it may be served. */
  async #openStored(target: Target, digest: Digest, asked: BlobQuestion): Promise<OpenedBlob | undefined> {
    const { permission, lastUse, small, events } = this.#options;
    const reader = await tolerate(events, 'open a blob', () => small.open(digest));
    if (reader === undefined) return undefined;
    let isTaken = false;
    try {
      const { size } = reader;
      const outcome =
        size === undefined ? 'fetch' : await permission.ask(target, contentOf(digest, size), asked.client);
      if (outcome === 'fetch') return undefined;
      lastUse.record(digest);
      isTaken = true;
      return { reader: this.#resilient(reader, target, digest, asked), outcome };
    } finally {
      if (!isTaken) await reader.close();
    }
  }

  /** @param endings of fills of the digest, before the store was asked for it */
  async #openCold(target: Target, digest: Digest, asked: BlobQuestion, endings: number): Promise<OpenedBlob> {
    const running = this.#running(target, digest);
    if (running !== undefined && !(await this.#mayBoard(running, target, asked))) {
      await running.settled;
      return this.open(target, digest, asked);
    }
    const current = this.#running(target, digest);
    // What has ended since the store was asked may have put the blob there; of what has begun, nothing was asked yet.
    if (endings !== this.#fills.endings(digest) || current !== running) {
      return this.open(target, digest, asked);
    }
    const diskError = this.#options.disk.error;
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

  async #whenOpened(
    fill: Fill,
    target: Target,
    asked: BlobQuestion,
    isCollapsed: boolean,
  ): Promise<OpenedBlob> {
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

  /**
   * Another repository's fill is no permission: upstream is asked for this repository first. Its word counts for the
   * size that the fill has; without one, only what the fill has brought can be asked about, once it has ended.
   */
  async #mayBoard(fill: Fill, target: Target, { client }: BlobQuestion): Promise<boolean> {
    const { permission, belonging } = this.#options;
    if (isSameRepository(fill.target, target)) return true;
    // That it fails says nothing of this repository.
    const isOpen = await fill.opened.then(
      () => true,
      () => false,
    );
    if (!isOpen) return false;
    if (await belonging.has(target.key, fill.digest)) return true;
    if (fill.size === undefined) return false;
    const options = { demand: demandOf(client) };
    return permission.confirmUnrecorded(target, contentOf(fill.digest, fill.size), options);
  }

  /** Follows an opened fill; or, for a range far ahead of it, asks upstream for just that. */
  async #board(fill: Fill, target: Target, asked: BlobQuestion, collapsed: boolean): Promise<OpenedBlob> {
    fill.join(target);
    if (asked.range !== undefined) fill.readInParts();
    const { range, client } = asked;
    const part = range?.kind === 'several' ? undefined : directPart(range, fill);
    const direct = part && (await this.#openAhead(fill, target, part, client));
    if (direct !== undefined) return direct;
    const follower = await fill.follow(client);
    const whole = this.#resilient(follower, target, fill.digest, asked, fill);
    const reader = this.#inParts(whole, fill, target, asked);
    return { reader, outcome: { hit: false, fwd: 'uri-miss', stored: fill.isKept, collapsed } };
  }

  /** Of several ranges each is had as it would be if it were asked for when its turn comes. */
  #inParts(whole: BlobReader, fill: Fill, target: Target, { range, client }: BlobQuestion): BlobReader {
    const { size } = whole;
    if (range?.kind !== 'several' || size === undefined) return whole;
    const parts = resolveRanges(range, size);
    if (typeof parts === 'string') return whole;
    let left = MAX_ALONE;
    const open = async ({ start, end }: ContentRange): Promise<BlobReader | undefined> => {
      const part = left === 0 ? undefined : directPart({ kind: 'slice', start, end }, fill);
      if (part === undefined) return undefined;
      left -= 1;
      const ahead = await this.#openAhead(fill, target, part, client);
      // Where upstream refuses one part it is not asked for the others.
      if (ahead === undefined) left = 0;
      return ahead?.reader;
    };
    return new PartsReader({ size, parts, open, rest: whole });
  }

  /** A part far ahead of the fill, by itself. What cannot be had so, for whatever reason, comes with the fill, later. */
  #openAhead(fill: Fill, target: Target, part: DirectPart, client: string): Promise<OpenedBlob | undefined> {
    fill.spendDirect(part);
    return this.#pastStore.openPart(target, fill, part, client).catch(() => undefined);
  }

  #running(target: Target, digest: Digest): Fill | undefined {
    return this.#fills.get(target.key.registry, digest);
  }

  /** @param fill that the reader follows */
  #resilient(
    reader: BlobReader,
    target: Target,
    digest: Digest,
    { client }: BlobQuestion,
    fill?: Fill,
  ): BlobReader {
    return new ResilientReader(reader, target, digest, {
      ...this.#options,
      demand: demandOf(client),
      ...(fill !== undefined && { shared: (position, open) => fill.relayed(client, position, open) }),
    });
  }

  #startFill(target: Target, digest: Digest, audience: Audience): Fill {
    const { negative, permission } = this.#options;
    const key = blobKey(target, digest);
    const known = negative.get(key);
    if (known !== undefined) throw known;
    const mark = negative.mark(target.key, digest);
    const fill = this.#fills.start(target, digest, audience);
    fill.opened.catch((error: unknown) => {
      if (isRefusal(error)) negative.put(key, error, mark);
      void permission.refused(target.key, digest, error, mark);
    });
    return fill;
  }

  /** Asks upstream whether the repository has the blob, one question at a time for each, for the client that came first. */
  #told(target: Target, digest: Digest, client: string): Promise<ToldBlob> {
    const { upstream, key } = target;
    return this.#questions.ask({
      name: blobKey(target, digest),
      about: { key, digest },
      ask: () => upstream.statBlob(key.repository, digest, { demand: demandOf(client) }),
    }).promise;
  }
}

const MISS: Outcome = { hit: false, fwd: 'uri-miss' };

function contentOf(digest: Digest, size: number): HeldContent {
  return { kind: 'blob', digest, size };
}

/** Whether the fill is had through the target's repository. */
function isOf(fill: Fill | undefined, target: Target): boolean {
  return fill?.hasOpened === true && isSameRepository(fill.target, target);
}

function blobKey(target: Target, digest: Digest): string {
  return refusalKey('blob', target.key, digest);
}
