import { createDigester, digestAlgorithm, digestOf, type Digest } from '../../oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../oci/documents/json.ts';
import { recordOrDrop } from '../../content/record-or-drop.ts';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import { digestOfPath, INDEX_FILE } from '../layout/paths.ts';
import { linkedPath, type BundleEntry } from '../reading/bundle-entry.ts';
import { compressionOf } from '../reading/decompressed.ts';
import type { ImportCache } from './import-options.ts';
import { writeBlob } from './write-blob.ts';

/** A file of a bundle whose name does not tell its digest for sure. */
export interface TakenFile {
  readonly digest: Digest;
  readonly size: number;
  readonly compression: 'gzip' | 'zstd' | undefined;
}

/** The file that lists the images of an archive of `docker save`, or is the manifest in a directory of skopeo. */
const MANIFEST_FILE = 'manifest.json';

/** Files that are read, and taken as no blobs. */
const DOCUMENTS: ReadonlySet<string> = new Set([INDEX_FILE, MANIFEST_FILE]);

/**
 * Files that may be content by what `docker save`, podman, skopeo and crane call them: `<hex>.json`, `<hex>.tar`,
 * `<hex>/layer.tar`, `<hex>.tar.gz`, `sha256:<hex>`, `<hex>`, `<hex>.manifest.json`.
 */
const CONTENT = /^(?:sha256:)?[a-f0-9]{64}(?:|\.json|\.manifest\.json|\.tar|\.tar\.gz|\/layer\.tar)$/;

/** Bytes in files that are neither content nor read: version marks, sums, signatures of the bundle. */
const MAX_OTHER_BYTES = 64 * 1024 * 1024;

/**
 * Takes the entries of a bundle in one pass, in whichever order they come. Blobs go into the store, verified; but no
 * repository has them yet, so that no client gets them.
 */
export class Intake {
  /** Sizes of all verified blobs that the bundle has, by digest. */
  readonly blobs = new Map<Digest, number>();
  /** Digests that were not stored before. */
  readonly added = new Set<Digest>();
  /** Files by their path, for archives that do not name their content by digest. */
  readonly files = new Map<string, TakenFile>();
  /** Where symbolic links lead, by their path. */
  readonly links = new Map<string, string>();
  readonly #documents = new Map<string, Uint8Array>();
  readonly #cache: ImportCache;
  readonly #signal: AbortSignal;
  #bytes = 0;
  #otherBytes = 0;

  constructor(cache: ImportCache, signal: AbortSignal) {
    this.#cache = cache;
    this.#signal = signal;
  }

  /** The `index.json` of an image layout. */
  get layoutIndex(): Uint8Array | undefined {
    return this.#documents.get(INDEX_FILE);
  }

  /** The `manifest.json` of an archive of `docker save`, or of a directory of skopeo. */
  get manifestFile(): Uint8Array | undefined {
    return this.#documents.get(MANIFEST_FILE);
  }

  /** @throws BundleError, StoreError, IndexError, and the signal's reason */
  async take(entry: BundleEntry): Promise<void> {
    this.#signal.throwIfAborted();
    const digest = digestOfPath(entry.path);
    if (entry.target !== undefined) this.#takeLink(entry, digest);
    else if (digest !== undefined) await this.#takeBlob(entry, digest);
    else if (DOCUMENTS.has(entry.path)) await this.#takeDocument(entry);
    else if (CONTENT.test(entry.path)) await this.#takeFile(entry);
    else this.#passOver(entry);
  }

  /** Stores bytes that the import itself has made, such as a manifest for an archive without one. */
  async addBytes(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes);
    if (!this.blobs.has(digest)) await this.#store(of(bytes), bytes.length, digest);
    return digest;
  }

  /** A link may stand for a layer that several images of an archive share. None stands for a blob. */
  #takeLink(entry: BundleEntry, digest: Digest | undefined): void {
    const target = linkedPath(entry);
    if (digest !== undefined || target === undefined) {
      throw new BundleError(`${quoted(entry.path)} is a link to ${quoted(entry.target ?? '')}`);
    }
    this.links.set(entry.path, target);
  }

  async #takeBlob({ size, bytes }: BundleEntry, digest: Digest): Promise<void> {
    await this.#store(bytes, size, digest);
  }

  async #takeDocument({ path, size, bytes }: BundleEntry): Promise<void> {
    if (this.#documents.has(path)) throw new BundleError(`it has two files ${path}`);
    if (size > MAX_MANIFEST_BYTES) {
      throw new BundleError(`${path} has ${size} bytes: at most ${MAX_MANIFEST_BYTES}`);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    this.#documents.set(path, Buffer.concat(chunks));
  }

  async #takeFile({ path, size, bytes }: BundleEntry): Promise<void> {
    if (this.files.has(path)) throw new BundleError(`it has two files ${quoted(path)}`);
    let compression: TakenFile['compression'];
    const seen = (head: Uint8Array): void => void (compression = compressionOf(head));
    const digest = await this.#store(withHead(bytes, seen), size, undefined);
    this.files.set(path, { digest, size, compression });
  }

  #passOver({ path, size }: BundleEntry): void {
    this.#otherBytes += size;
    if (this.#otherBytes <= MAX_OTHER_BYTES) return;
    throw new BundleError(
      `it has more than ${MAX_OTHER_BYTES} bytes of other files, such as ${quoted(path)}`,
    );
  }

  async #store(
    bytes: AsyncIterable<Uint8Array>,
    size: number,
    expected: Digest | undefined,
  ): Promise<Digest> {
    this.#count(size, expected);
    if (expected !== undefined && (await this.#isStored(expected, size))) {
      await verify(bytes, size, expected, this.#signal);
      this.blobs.set(expected, size);
      return expected;
    }
    const blob = { bytes, size, digest: expected, signal: this.#signal };
    const digest = await writeBlob(this.#cache, blob);
    await recordOrDrop(this.#cache, digest, () => this.#record(digest, size));
    this.blobs.set(digest, size);
    return digest;
  }

  /** A bundle that does not fit would push its own first blobs out while its last ones come. */
  #count(size: number, digest: Digest | undefined): void {
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#cache;
    if (digest === undefined || !this.blobs.has(digest)) this.#bytes += size;
    if (this.#bytes <= maxBytes) return;
    throw new BundleError(`it has more bytes than the cache keeps: ${maxBytes} (cache.maxSize)`);
  }

  /** Whether the store has the blob. It counts as used now, so that it does not go before its image is announced. */
  async #isStored(digest: Digest, size: number): Promise<boolean> {
    const { store, index, clock } = this.#cache;
    const isThere = (await store.stat(digest))?.size === size && (await index.blob(digest))?.size === size;
    if (isThere) await index.touch(new Map([[digest, clock.now()]]));
    return isThere;
  }

  async #record(digest: Digest, size: number): Promise<void> {
    const { index, clock } = this.#cache;
    if ((await index.blob(digest)) === undefined) this.added.add(digest);
    await index.putBlob({ digest, size }, clock.now());
  }
}

/**
 * Hashes the bundle's bytes of a blob that is stored already. A bundle that only names a digest must not open what
 * other repositories have stored.
 * @throws BundleError if they are not the digest's
 */
async function verify(
  bytes: AsyncIterable<Uint8Array>,
  size: number,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const digester = createDigester(digestAlgorithm(digest));
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    digester.update(chunk);
  }
  const actual = digester.digest();
  if (actual !== digest) throw new BundleError(`${digest}: its ${size} bytes have the digest ${actual}`);
}

async function* of(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Passes bytes on, and shows the first ones. */
async function* withHead(
  bytes: AsyncIterable<Uint8Array>,
  seen: (head: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of bytes) {
    if (isFirst) seen(chunk);
    isFirst = false;
    yield chunk;
  }
}
