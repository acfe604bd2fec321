import type { LimitFunction } from 'p-limit';
import type { StoredManifest } from '../../content/stored-manifest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { isIndexMediaType } from '../../oci/media-type.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Asking, Repository } from '../../repository/repository.ts';
import { chooseManifests, type PlatformChoice } from './chosen-platforms.ts';
import { failureOf, isNothing, type PartFailure } from './part-failure.ts';
import type { PulledParts } from './pulled-parts.ts';
import { signatureTags } from './signature-tags.ts';

/** What is pulled of an image. */
export interface ClosureRequest {
  readonly repository: Repository;
  readonly reference: Reference;
  readonly platforms: PlatformChoice;
  /** Whether its signatures, attestations and SBOMs are pulled as well. */
  readonly referrers: boolean;
  /** Whether the last pulls that an upstream allows are left to clients. */
  readonly sparesQuota: boolean;
}

/** What came of it. */
export interface PulledClosure {
  /** The digest that the reference stands for; undefined if that could not be found out. */
  readonly digest: Digest | undefined;
  /** Each manifest and blob that is whole, the root first; each once. */
  readonly parts: readonly Descriptor[];
  /** What was found beside the image and is about a part of it, by the names under which it was found. */
  readonly about: readonly Named[];
  readonly failures: readonly PartFailure[];
}

/** A manifest, by one of its names in the repository. */
interface Named {
  readonly reference: Reference;
  readonly digest: Digest;
}

export interface ClosureOptions {
  /** The parts of all closures of one run: what two images of a repository share is pulled once. */
  readonly parts: PulledParts;
  /** Whether bytes are in the cache: an upstream's bytes reach the caller even if the disk is full. */
  readonly isStored: (digest: Digest) => Promise<boolean>;
  /** Limits how many parts are pulled at the same time. */
  readonly limit: LimitFunction;
  readonly signal: AbortSignal;
  /** Called with an error that no pull may meet. It aborts the signal with that error, which ends the whole run. */
  readonly endRun: (error: unknown) => void;
}

/** Nested indexes beyond this depth are no image's (an index of indexes of images). */
const MAX_DEPTH = 3;

/**
 * Pulls an image whole: of an index the chosen platforms, of each image its config and layers. A part that fails does
 * not stop the others, so that the next attempt has less to do. None of the work goes on once this has ended.
 * @throws the signal's reason
 */
export async function pullClosure(request: ClosureRequest, options: ClosureOptions): Promise<PulledClosure> {
  const walk = new ClosureWalk(request, options);
  const digest = await walk.run();
  options.signal.throwIfAborted();
  return { digest, parts: [...walk.pulled.values()], about: walk.about, failures: walk.failures };
}

class ClosureWalk {
  readonly pulled = new Map<Digest, Descriptor>();
  readonly about: Named[] = [];
  readonly failures: PartFailure[] = [];
  readonly #request: ClosureRequest;
  readonly #options: ClosureOptions;
  readonly #asking: Asking;
  readonly #seen = new Set<string>();

  constructor(request: ClosureRequest, options: ClosureOptions) {
    this.#request = request;
    this.#options = options;
    this.#asking = { isAnew: false, sparesQuota: request.sparesQuota };
  }

  async run(): Promise<Digest | undefined> {
    const { repository, reference } = this.#request;
    const root = await this.#attempt(undefined, async () => {
      const resolution = await repository.resolve(reference, this.#asking);
      return (await repository.manifest(resolution)).manifest;
    });
    if (root !== undefined) await this.#walk(root, 0);
    return root?.digest;
  }

  async #walk(manifest: StoredManifest, depth: number): Promise<void> {
    const { digest, mediaType, bytes } = manifest;
    this.#seen.add(digest);
    await this.#keep({ digest, mediaType, size: bytes.length });
    const parsed = await this.#attempt(digest, async () => parseManifest(bytes, mediaType));
    if (parsed === undefined) return;
    const { config, layers } = parsed;
    const children = isIndexMediaType(parsed.mediaType) ? this.#choose(digest, parsed.manifests) : [];
    const blobs = [...(config === undefined ? [] : [config]), ...layers];
    await Promise.all([
      ...children.map((child) => this.#manifest(child, depth + 1)),
      ...blobs.map((blob) => this.#blob(blob)),
      this.#request.referrers ? this.#referrers(digest, depth + 1) : undefined,
    ]);
  }

  #choose(digest: Digest, manifests: readonly Descriptor[]): readonly Descriptor[] {
    const chosen = chooseManifests(manifests, this.#request.platforms);
    for (const platform of chosen.missing)
      this.failures.push({ digest, reason: `the index has no image for ${formatPlatform(platform)}` });
    return chosen.manifests;
  }

  async #manifest({ digest }: Pick<Descriptor, 'digest'>, depth: number): Promise<void> {
    if (this.#seen.has(digest)) return;
    this.#seen.add(digest);
    if (depth > MAX_DEPTH) {
      this.failures.push({ digest, reason: `it is nested deeper than ${MAX_DEPTH} indexes` });
      return;
    }
    const { repository } = this.#request;
    const child = await this.#attempt(digest, async () => {
      const resolution = await repository.resolve({ kind: 'digest', digest }, this.#asking);
      return (await repository.manifest(resolution)).manifest;
    });
    if (child !== undefined) await this.#walk(child, depth);
  }

  async #blob(blob: Descriptor): Promise<void> {
    if (this.#seen.has(blob.digest)) return;
    this.#seen.add(blob.digest);
    const { parts, signal } = this.#options;
    const size = await this.#attempt(blob.digest, () => parts.pull(this.#request.repository, blob, signal));
    if (size !== undefined) await this.#keep({ ...blob, size });
  }

  async #referrers(subject: Digest, depth: number): Promise<void> {
    const { repository } = this.#request;
    const list = await this.#attempt(subject, () => orNothing(repository.referrers(subject, this.#asking)));
    const listed = list?.descriptors.map(async (referrer) => {
      this.about.push({ reference: { kind: 'digest', digest: referrer.digest }, digest: referrer.digest });
      await this.#manifest(referrer, depth);
    });
    await Promise.all([...(listed ?? []), ...signatureTags(subject).map((tag) => this.#tagged(tag, depth))]);
  }

  /** Pulls what a tag stands for, if there is such a tag. */
  async #tagged(tag: Reference, depth: number): Promise<void> {
    const { repository } = this.#request;
    const resolution = await this.#attempt(undefined, () => orNothing(repository.resolve(tag, this.#asking)));
    if (resolution === undefined) return;
    this.about.push({ reference: tag, digest: resolution.digest });
    await this.#manifest(resolution, depth);
  }

  /** Counts a part as whole if the cache has it. */
  async #keep(part: Descriptor): Promise<void> {
    const { digest } = part;
    const isStored = await this.#attempt(digest, () => this.#options.isStored(digest));
    if (isStored === true) this.pulled.set(digest, part);
    else if (isStored === false)
      this.failures.push({ digest, reason: 'it was fetched, but could not be stored' });
  }

  /** Does one piece of work in its turn. A failure is recorded, and the work gives undefined then. */
  async #attempt<T>(digest: Digest | undefined, work: () => Promise<T>): Promise<T | undefined> {
    const { limit, signal, endRun } = this.#options;
    return limit(async () => {
      if (signal.aborted) return undefined;
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) return undefined;
        const failure = failureOf(digest, error);
        if (failure === undefined) endRun(error);
        else this.failures.push(failure);
        return undefined;
      }
    });
  }
}

/** Returns undefined instead of an error that says that there is no such thing. */
async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}
