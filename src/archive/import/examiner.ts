import type { BelongingIndex } from '../../index/belonging-index.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { isManifestMediaType } from '../../oci/media-type.ts';
import { isElsewhere } from '../../oci/plain-content.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import { BundleError } from '../bundle-error.ts';
import type { Examined, ExaminedManifest } from './examined.ts';
import { readSmall } from './read-small.ts';

interface ExaminerOptions {
  readonly store: BlobStore;
  readonly index: BelongingIndex;
  /** Sizes of the verified blobs of the bundle, by digest. */
  readonly bundled: ReadonlyMap<Digest, number>;
  readonly isPartial: boolean;
  readonly signal: AbortSignal;
}

/** Deepest nesting of manifests: an index of indexes of images has three. Also that of the closure in the index. */
const MAX_DEPTH = 4;

/** Greatest number of references that are followed, over all images: thousands of images have a tenth of it. */
const MAX_REFERENCES = 500_000;

/** Problems that are told of one image. */
const MAX_PROBLEMS = 20;

type Parts = { -readonly [K in keyof Examined]: Examined[K] extends readonly (infer T)[] ? T[] : never };

/** The work on one image. */
interface Walk extends Parts {
  readonly key: RepositoryKey;
  readonly seen: Set<Digest>;
}

/**
 * Finds out whether images are whole. What an image refers to must be in the bundle; or be stored, and belong to the
 * image's own repository already: a bundle that names another repository's layer must not open it.
 */
export class Examiner {
  readonly #options: ExaminerOptions;
  #references = 0;

  constructor(options: ExaminerOptions) {
    this.#options = options;
  }

  /** @throws BundleError if the bundle leads to too much; StoreError, IndexError, and the signal's reason */
  async examine(
    key: RepositoryKey,
    root: Pick<Descriptor, 'digest' | 'mediaType' | 'size'>,
  ): Promise<Examined> {
    const empty: Parts = { manifests: [], blobs: [], problems: [], leftOut: [], elsewhere: [] };
    const walk: Walk = { ...empty, key, seen: new Set() };
    await this.#walk(walk, root, 1);
    return walk;
  }

  async #walk(
    walk: Walk,
    descriptor: Pick<Descriptor, 'digest' | 'mediaType' | 'size'>,
    depth: number,
  ): Promise<void> {
    const { digest } = descriptor;
    if (walk.seen.has(digest) || !(await this.#isThere(walk, descriptor, 'manifest'))) return;
    walk.seen.add(digest);
    if (depth > MAX_DEPTH) return tell(walk, `${digest} lies more than ${MAX_DEPTH} manifests deep`);
    const read = await this.#read(walk, descriptor);
    if (read === undefined) return;
    for (const child of read.manifest.manifests) await this.#child(walk, child, depth);
    const { config, layers } = read.manifest;
    for (const blob of config === undefined ? layers : [config, ...layers]) await this.#blob(walk, blob);
    walk.manifests.push(read);
  }

  async #read(
    walk: Walk,
    { digest, mediaType }: Pick<Descriptor, 'digest' | 'mediaType'>,
  ): Promise<ExaminedManifest | undefined> {
    const { store } = this.#options;
    try {
      const bytes = await readSmall(store, digest);
      return { digest, size: bytes.length, manifest: parseManifest(bytes, mediaType) };
    } catch (error) {
      if (!(error instanceof BundleError || error instanceof RegistryError)) throw error;
      tell(walk, `${digest} is no manifest that can be served: ${error.message}`);
      return undefined;
    }
  }

  async #child(walk: Walk, child: Descriptor, depth: number): Promise<void> {
    this.#count();
    const isManifest = isManifestMediaType(child.mediaType);
    if (this.#options.isPartial && (await this.#sizeOf(walk.key, child.digest)) === undefined) {
      walk.leftOut.push(child);
    } else if (isManifest) await this.#walk(walk, child, depth + 1);
    else await this.#blob(walk, child);
  }

  async #blob(walk: Walk, blob: Descriptor): Promise<void> {
    this.#count();
    if (walk.seen.has(blob.digest)) return;
    walk.seen.add(blob.digest);
    const isAway = isElsewhere(blob.mediaType) && (await this.#sizeOf(walk.key, blob.digest)) === undefined;
    if (isAway) walk.elsewhere.push(blob.digest);
    else if (await this.#isThere(walk, blob, 'blob')) walk.blobs.push(blob.digest);
  }

  async #isThere(
    walk: Walk,
    descriptor: Pick<Descriptor, 'digest' | 'size' | 'platform'>,
    what: string,
  ): Promise<boolean> {
    const { digest, platform } = descriptor;
    const size = await this.#sizeOf(walk.key, digest);
    if (size === descriptor.size) return true;
    const which = platform === undefined ? digest : `${digest} (${formatPlatform(platform)})`;
    tell(
      walk,
      size === undefined
        ? `the ${what} ${which} is missing`
        : `the ${what} ${which} has ${size} bytes, but its descriptor says ${descriptor.size}`,
    );
    return false;
  }

  /** Returns the size of bytes that the image's repository may have; undefined if there are none. */
  async #sizeOf(key: RepositoryKey, digest: Digest): Promise<number | undefined> {
    const { store, index, bundled, signal } = this.#options;
    signal.throwIfAborted();
    const mayHave = bundled.has(digest) || (await index.belongs(key, digest));
    // What the bundle had may have been removed meanwhile.
    return mayHave ? (await store.stat(digest))?.size : undefined;
  }

  #count(): void {
    this.#references += 1;
    if (this.#references > MAX_REFERENCES) throw new BundleError('its manifests refer to far too much');
  }
}

function tell({ problems }: Walk, problem: string): void {
  if (problems.length < MAX_PROBLEMS) problems.push(problem);
}
