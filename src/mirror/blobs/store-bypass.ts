import { resolveRanges } from '../../http/ranges/range-set.ts';
import type { ContentRange, RangeSpec } from '../../http/ranges/range.ts';
import type { ManifestIndex } from '../../index/manifest-index.ts';
import { createDigester, digestAlgorithm, type Digest } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import type { ByteRange } from '../../upstream/upstream.ts';
import type { OpenedBlob } from '../../repository/opened-blob.ts';
import type { BlobQuestion } from '../../repository/repository.ts';
import { demandOf } from '../fill-clients.ts';
import { BlobSource, type BlobSourceOptions } from '../transfer/blob-source.ts';
import type { DiskError } from '../disk-health.ts';
import { refusalKey, type NegativeCache } from '../negative-cache.ts';
import { MAX_ALONE, PartsReader } from './parts-reader.ts';
import { isRefusal } from '../refusal.ts';
import { SourceReader } from './source-reader.ts';
import type { Target } from '../target.ts';
import { tolerate } from '../../tolerate.ts';

export interface StoreBypassOptions extends BlobSourceOptions {
  readonly index: Pick<ManifestIndex, 'describedSize'>;
  readonly negative: NegativeCache;
}

/** Fetches blobs from upstream for one client each, past the store. They are not recorded as given. */
export class StoreBypass {
  readonly #options: StoreBypassOptions;

  constructor(options: StoreBypassOptions) {
    this.#options = options;
  }

  /**
   * Fetches what was asked for, a whole blob or only its ranges, while the store cannot take the blob.
   * @throws UpstreamError
   */
  async open(target: Target, digest: Digest, question: BlobQuestion, cause: DiskError): Promise<OpenedBlob> {
    const { negative, index, events } = this.#options;
    const key = refusalKey('blob', target.key, digest);
    const known = negative.get(key);
    if (known !== undefined) throw known;
    const size = await tolerate(events, 'look up a size', () => index.describedSize(digest));
    const blob = { digest, size };
    const mark = negative.mark(target.key, digest);
    try {
      return await this.#openParts(target, blob, partsOf(question.range, size), question.client, cause);
    } catch (error) {
      if (isRefusal(error)) negative.put(key, error, mark);
      throw error;
    }
  }

  /**
   * Fetches a part of a blob beside its fill.
   * @throws UpstreamError
   */
  openPart(target: Target, blob: Described, part: ByteRange, client: string): Promise<OpenedBlob> {
    return this.#open(target, blob, part, client, 'range far ahead of the fill');
  }

  /**
   * Fetches one part after another. Each part costs upstream a request, so a client that asks for very many gets the
   * whole blob instead.
   */
  async #openParts(
    target: Target,
    blob: Described,
    parts: readonly ContentRange[],
    client: string,
    cause: DiskError,
  ): Promise<OpenedBlob> {
    const open = (part: ByteRange): Promise<OpenedBlob> =>
      this.#open(target, blob, part, client, `store: ${cause.code}`);
    // If the bytes between the parts were fetched but not sent on, a client could cost upstream far more than itself.
    if (parts.length > MAX_ALONE) return { ...(await open({ start: 0 })), isWhole: true };
    const first = await open({ start: parts[0]?.start ?? 0, end: parts[0]?.end });
    if (parts.length < 2) return first;
    const { size } = first.reader;
    const openNext = async (part: ContentRange): Promise<BlobReader> => (await open(part)).reader;
    return { ...first, reader: new PartsReader({ size, parts, first: first.reader, open: openNext }) };
  }

  async #open(
    target: Target,
    { digest, size }: Described,
    range: ByteRange,
    client: string,
    detail: string,
  ): Promise<OpenedBlob> {
    const source = await BlobSource.open(target, digest, range, {
      ...this.#options,
      demand: demandOf(client),
      describedSize: size,
    });
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
}

interface Described {
  readonly digest: Digest;
  readonly size: number | undefined;
}

/**
 * Returns the parts to ask upstream for; an empty list means the whole blob. It is empty if the blob's size is unknown,
 * since the size tells what ranges mean.
 */
function partsOf(range: RangeSpec | undefined, size: number | undefined): readonly ContentRange[] {
  if (range === undefined || size === undefined) return [];
  const parts = resolveRanges(range, size);
  if (typeof parts === 'string') return [];
  return parts.some(({ start, end }) => end - start === size) ? [] : parts;
}
