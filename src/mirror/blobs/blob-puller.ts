import { resolveRanges } from '../../http/ranges/range-set.ts';
import type { ContentRange } from '../../http/ranges/range.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { StoreError } from '../../store/error.ts';
import type { DescribedBlob } from '../../upstream/upstream.ts';
import { FillClients, demandOf } from '../fill-clients.ts';
import type { BlobStat, OpenedBlob } from '../../repository/opened-blob.ts';
import type { BlobQuestion } from '../../repository/repository.ts';
import { directPart, type DirectPart } from '../fill/direct-part.ts';
import type { Fill } from '../fill/fill.ts';
import type { FillOptions } from '../fill/fill-options.ts';
import { Fills } from '../fill/fills.ts';
import { Questions } from '../questions.ts';
import type { LastUse } from '../last-use.ts';
import { refusalKey, type NegativeCache } from '../negative-cache.ts';
import { CONFIRMED, HIT, type Outcome } from '../../repository/outcome.ts';
import type { Belonging } from '../permission/belonging.ts';
import type { HeldContent } from '../permission/confirms.ts';
import type { Permission } from '../permission/permission.ts';
import { isRefusal } from '../refusal.ts';
import { MAX_ALONE, PartsReader } from './parts-reader.ts';
import { StoreBypass } from './store-bypass.ts';
import { ResilientReader } from './resilient-reader.ts';
import type { SmallBlobs } from '../../content/small-blobs.ts';
import type { StoredBlobs } from '../../content/stored-blobs.ts';
import { isSameRepository, type Target } from '../target.ts';
import { tolerate } from '../../tolerate.ts';

export interface BlobPullerOptions extends FillOptions {
  readonly belonging: Belonging;
  readonly permission: Permission;
  readonly stored: StoredBlobs;
  readonly small: SmallBlobs;
  readonly lastUse: LastUse;
  readonly negative: NegativeCache;
}

/** Opens blobs by digest: from disk, or through the one fill of their upstream and digest. */
export class BlobPuller {
  readonly #fills: Fills;
  readonly #bypass: StoreBypass;
  readonly #questions: Questions<DescribedBlob>;
  readonly #options: BlobPullerOptions;

  constructor(options: BlobPullerOptions) {
    this.#options = options;
    this.#fills = new Fills(options);
    this.#bypass = new StoreBypass(options);
    this.#questions = new Questions(options.negative, options.clock);
  }

  /** Running fills. */
  get fills(): Pick<Fills, 'size' | 'get' | typeof Symbol.iterator> {
    return this.#fills;
  }

  /**
   * Opens a blob of the target's repository.
   * @throws UpstreamError if upstream refuses or cannot be asked, and nothing that may be served is cached
   */
  async open(target: Target, digest: Digest, question: BlobQuestion): Promise<OpenedBlob> {
    const endings = this.#fills.endings(digest);
    const stored = await this.#openStored(target, digest, question);
    return stored ?? this.#openCold(target, digest, question, endings);
  }

  /** Finds out whether the repository has the blob, and its size, without fetching it. */
  async stat(target: Target, digest: Digest, client: string): Promise<BlobStat> {
    const { permission, belonging, stored, index, events } = this.#options;
    const here = await tolerate(events, 'look up a blob', () => stored.stat(digest));
    const permit =
      here === undefined ? 'fetch' : await permission.ask(target, contentOf(digest, here.size), client);
    if (here !== undefined && permit !== 'fetch') return { size: here.size, outcome: permit };
    const running = this.#running(target, digest);
    const isBoardable =
      running?.size !== undefined &&
      // Upstream has begun to send it for this repository: a HEAD would tell no more.
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

  /** Opens a stored blob; undefined if there is none, or only upstream's bytes can prove that it may be served. */
  async #openStored(target: Target, digest: Digest, question: BlobQuestion): Promise<OpenedBlob | undefined> {
    const { permission, lastUse, small, events } = this.#options;
    const reader = await tolerate(events, 'open a blob', () => small.open(digest));
    if (reader === undefined) return undefined;
    let isTaken = false;
    try {
      const { size } = reader;
      const outcome =
        size === undefined ? 'fetch' : await permission.ask(target, contentOf(digest, size), question.client);
      if (outcome === 'fetch') return undefined;
      lastUse.record(digest);
      isTaken = true;
      return { reader: this.#resilient(reader, target, digest, question), outcome };
    } finally {
      if (!isTaken) await reader.close();
    }
  }

  /** Opens a blob that is not stored. @param endings count of ended fills before the store was asked for the digest */
  async #openCold(
    target: Target,
    digest: Digest,
    question: BlobQuestion,
    endings: number,
  ): Promise<OpenedBlob> {
    const running = this.#running(target, digest);
    if (running !== undefined && !(await this.#mayBoard(running, target, question))) {
      // A fill of unknown size tells its size when its bytes are verified: then upstream can confirm it.
      await (running.size === undefined ? running.verified : running.settled);
      return this.open(target, digest, question);
    }
    const current = this.#running(target, digest);
    // A fill that has ended since the store was asked may have stored the blob. If one has begun since, it is not known
    // yet whether this client may board it.
    if (endings !== this.#fills.endings(digest) || current !== running) {
      return this.open(target, digest, question);
    }
    const diskError = this.#options.disk.error;
    if (current === undefined && diskError !== undefined) {
      return this.#bypass.open(target, digest, question, diskError);
    }
    const audience = current?.audience ?? new FillClients();
    const leave = audience.enter(question.client);
    try {
      const fill = current ?? this.#startFill(target, digest, audience);
      return await this.#whenOpened(fill, target, question, current !== undefined);
    } finally {
      leave();
    }
  }

  async #whenOpened(
    fill: Fill,
    target: Target,
    question: BlobQuestion,
    isCollapsed: boolean,
  ): Promise<OpenedBlob> {
    try {
      await fill.opened;
      return await this.#board(fill, target, question, isCollapsed);
    } catch (error) {
      const { digest } = fill;
      if (error instanceof StoreError) return this.#bypass.open(target, digest, question, error);
      // If the fill failed through another repository, or before this client boarded it, that says nothing about this
      // client's request.
      if (!isCollapsed || (!fill.hasOpened && isSameRepository(fill.target, target))) throw error;
      await fill.ended;
      return this.open(target, digest, question);
    }
  }

  /**
   * Whether the client may board the fill. A fill for another repository is no permission: upstream must first confirm
   * the blob for this repository, and its answer counts only if it tells the fill's size. If the fill's size is not
   * known, upstream is asked about the bytes once they are verified.
   */
  async #mayBoard(fill: Fill, target: Target, { client }: BlobQuestion): Promise<boolean> {
    const { permission, belonging } = this.#options;
    if (isSameRepository(fill.target, target)) return true;
    // If the fill fails, that says nothing about this repository.
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

  /** Follows an opened fill; or, for a range far ahead of it, asks upstream for that range alone. */
  async #board(fill: Fill, target: Target, question: BlobQuestion, collapsed: boolean): Promise<OpenedBlob> {
    fill.join(target);
    if (question.range !== undefined) fill.readInParts();
    const { range, client } = question;
    const part = range?.kind === 'several' ? undefined : directPart(range, fill);
    const direct = part && (await this.#openAhead(fill, target, part, client));
    if (direct !== undefined) return direct;
    const follower = await fill.follow(client);
    const whole = this.#resilient(follower, target, fill.digest, question, fill);
    const reader = this.#inParts(whole, fill, target, question);
    const outcome: Outcome = { hit: false, fwd: 'uri-miss', stored: fill.isKept, collapsed };
    return { reader, outcome, storing: fill.ended };
  }

  /** Serves several ranges in order, each as if the client had asked for it alone. */
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
      // If upstream refuses one part, it is not asked for the others.
      if (ahead === undefined) left = 0;
      return ahead?.reader;
    };
    return new PartsReader({ size, parts, open, rest: whole });
  }

  /** Fetches a part far ahead of the fill by itself. If that fails, for any reason, it comes later, with the fill. */
  #openAhead(fill: Fill, target: Target, part: DirectPart, client: string): Promise<OpenedBlob | undefined> {
    fill.spendDirect(part);
    return this.#bypass.openPart(target, fill, part, client).catch(() => undefined);
  }

  #running(target: Target, digest: Digest): Fill | undefined {
    return this.#fills.get(target.key.registry, digest);
  }

  /** @param fill the fill that the reader follows, if it follows one */
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
      ...(fill !== undefined && { shared: (position, open) => fill.joinRelay(client, position, open) }),
    });
  }

  #startFill(target: Target, digest: Digest, audience: FillClients): Fill {
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

  /** Asks upstream whether the repository has the blob: one request at a time for each blob, for its first client. */
  #told(target: Target, digest: Digest, client: string): Promise<DescribedBlob> {
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

/** Whether the fill fetches through the target's repository. */
function isOf(fill: Fill | undefined, target: Target): boolean {
  return fill?.hasOpened === true && isSameRepository(fill.target, target);
}

function blobKey(target: Target, digest: Digest): string {
  return refusalKey('blob', target.key, digest);
}
