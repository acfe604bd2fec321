import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { TagIndex } from '../../index/tag-index.ts';
import type { ManifestIndex } from '../../index/manifest-index.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { mergeReferrers, referrersTag } from '../../oci/referrers.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { flightKey } from '../../async/flights.ts';
import type { Work } from '../../upstream/registry/parsing/functions.ts';
import { inlineParser, type Parser } from '../../upstream/registry/parsing/parser.ts';
import type { ManifestPuller } from '../manifests/manifest-puller.ts';
import type { ReferrersPage } from '../../repository/list-page.ts';
import { isVerdict } from '../refusal.ts';
import { Remembered } from './remembered.ts';
import { listOutcome } from './tag-lists.ts';
import type { Target } from '../target.ts';
import { tolerate } from '../../tolerate.ts';

export interface ReferrerListsOptions {
  readonly index: TagIndex & ManifestIndex;
  readonly manifests: Pick<ManifestPuller, 'cached'>;
  readonly clock: Clock;
  readonly events: Events;
  /** Absent: documents are read in this thread. */
  readonly parser?: Parser | undefined;
  /** How long a list is trusted. Short: a signature pushed a moment ago must be found. */
  readonly ttlMs: number;
  /** Bytes of descriptors that are kept in memory, over all lists. */
  readonly memoryBytes?: number;
}

/** Bytes of descriptors in memory: room for four of the longest lists that there may be. */
const MEMORY = 32 * 1024 * 1024;

/**
 * Lists the referrers of a manifest: signatures, SBOMs. The list comes from upstream. If upstream cannot answer, it is
 * the last list known, or else what is cached: the list of the tag schema, and manifests that name it as their subject.
 */
export class ReferrerLists {
  readonly #lists: Remembered<readonly Descriptor[]>;
  readonly #options: ReferrerListsOptions;

  constructor(options: ReferrerListsOptions) {
    this.#options = options;
    this.#lists = new Remembered(options.clock, options.memoryBytes ?? MEMORY, bytesOf);
  }

  /** Forgets the lists that are in memory. */
  forget(): void {
    this.#lists.clear();
  }

  /** Lists the referrers. @throws UpstreamError if upstream denies, or cannot answer and no referrer is cached */
  async list(target: Target, subject: Digest): Promise<ReferrersPage> {
    const { key } = target;
    try {
      const recalled = await this.#lists.get(
        flightKey(key.registry, key.repository, subject),
        Math.min(this.#options.ttlMs, target.maxAgeMs ?? Infinity),
        () => askReferrers(target, subject),
        (error) => error instanceof UpstreamError && !isVerdict(error),
      );
      return { descriptors: recalled.value, outcome: listOutcome(recalled) };
    } catch (error) {
      if (!(error instanceof UpstreamError) || isVerdict(error)) throw error;
      return this.#fromIndex(target, subject, error);
    }
  }

  async #fromIndex(target: Target, subject: Digest, error: UpstreamError): Promise<ReferrersPage> {
    const { index, events } = this.#options;
    const stored = await tolerate(events, 'list referrers', () => index.referrers(target.key, subject));
    const descriptors = mergeReferrers(await this.#byCachedTag(target, subject), stored ?? []);
    if (descriptors.length === 0) throw error;
    const warning = `only the referrers that are cached, since ${error.message}`;
    return { descriptors, outcome: { hit: false, fwd: 'stale', detail: error.reason, warning } };
  }

  /** Lists what a client has pulled by the subject's tag (distribution-spec, "Referrers Tag Schema"). */
  async #byCachedTag(target: Target, subject: Digest): Promise<readonly Descriptor[]> {
    const { index, manifests, events, parser = inlineParser } = this.#options;
    const tag = referrersTag(subject);
    const entry = await tolerate(events, 'look up a tag', () => index.tag(target.key, tag));
    const manifest = entry && (await manifests.cached(target, entry.digest));
    if (manifest === undefined) return [];
    const work: Work<'referrers'> = { name: 'referrers', args: [manifest.bytes] };
    const reading = await tolerate(events, 'read referrers', () => parser.run(work, manifest.bytes.length));
    return reading !== undefined && 'read' in reading ? reading.read : [];
  }
}

/** Returns the size of the descriptors as JSON: a descriptor may have annotations of any length. */
function bytesOf(descriptors: readonly Descriptor[]): number {
  return descriptors.reduce((sum, descriptor) => sum + Buffer.byteLength(JSON.stringify(descriptor)), 0);
}

/**
 * Asks upstream for the list. A subject that upstream does not know has an empty list, which is no error
 * (distribution-spec, "Listing Referrers").
 */
async function askReferrers({ upstream, key }: Target, subject: Digest): Promise<readonly Descriptor[]> {
  try {
    return await upstream.referrers(key.repository, subject);
  } catch (error) {
    if (isVerdict(error) && error.failure === 'absent') return [];
    throw error;
  }
}
