import type { Descriptor } from '../oci/descriptor.ts';
import { createDigester, digestAlgorithm, type Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { Tag } from '../oci/tag.ts';
import { unpackTags } from '../oci/tag-names.ts';
import { UpstreamError } from '../upstream/error.ts';
import type { AskedUpstream, CallOptions, FetchedManifest, ResolvedManifest } from '../upstream/upstream.ts';
import { readPages } from './pages.ts';

/** Asks one registry. Every method bounds what it reads, verifies what has a digest, and throws UpstreamError. */
export class Asker {
  readonly #upstream: AskedUpstream;

  constructor(upstream: AskedUpstream) {
    this.#upstream = upstream;
  }

  /** Reads the tags in the registry's order, page by page; each page is sorted. */
  tags(repository: RepositoryName, options: CallOptions = {}): AsyncGenerator<readonly Tag[]> {
    const list = { upstream: this.#upstream.name, what: `the tags of ${repository}` };
    return readPages(list, async (next) => {
      const page = await this.#upstream.tags(repository, { ...options, next });
      return { entries: unpackTags(page.tags), next: page.next };
    });
  }

  /** Reads the names of the registry's repositories, page by page. */
  catalog(options: CallOptions = {}): AsyncGenerator<readonly string[]> {
    const list = { upstream: this.#upstream.name, what: 'the catalog' };
    return readPages(list, async (next) => {
      const page = await this.#upstream.catalog({ ...options, next });
      return { entries: page.repositories, next: page.next };
    });
  }

  /** Gets a manifest, verified; with the widest choice of media types. */
  async manifest(
    repository: RepositoryName,
    reference: Reference,
    options?: CallOptions,
  ): Promise<FetchedManifest> {
    return this.#upstream.manifest(repository, reference, options);
  }

  /** Asks which manifest a reference stands for: by HEAD, and by GET if the registry tells no digest by HEAD. */
  async resolve(
    repository: RepositoryName,
    reference: Reference,
    options?: CallOptions,
  ): Promise<ResolvedManifest> {
    const resolved = await this.#upstream.resolve(repository, reference, options);
    if (resolved !== undefined) return resolved;
    const { digest, mediaType, bytes } = await this.#upstream.manifest(repository, reference, options);
    return { digest, mediaType, size: bytes.length };
  }

  /**
   * Gets a small blob, such as a config, whole and verified.
   * @param maxBytes most bytes of the blob
   * @throws UpstreamError `content` if it is larger, or does not have the digest
   */
  async blob(
    repository: RepositoryName,
    digest: Digest,
    maxBytes: number,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    const { body } = await this.#upstream.blob(repository, digest, options);
    const digester = createDigester(digestAlgorithm(digest));
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const arrived of body) {
      for (const piece of arrived) {
        size += piece.length;
        // Leaving the loop destroys the body.
        if (size > maxBytes) throw this.#contentError(`${digest} has more than ${maxBytes} bytes`);
        digester.update(piece);
        // The memory of a piece is used again for the next ones.
        pieces.push(Uint8Array.from(piece));
      }
    }
    if (digester.digest() === digest) return Buffer.concat(pieces);
    throw this.#contentError(`sent other bytes than those of ${digest}`);
  }

  /** Lists what refers to a manifest: by the referrers API, else by the tag schema. */
  async referrers(
    repository: RepositoryName,
    subject: Digest,
    options: CallOptions & { readonly artifactType?: string | undefined } = {},
  ): Promise<readonly Descriptor[]> {
    const { artifactType } = options;
    const all = await this.#upstream.referrers(repository, subject, options);
    return artifactType === undefined ? all : all.filter((each) => each.artifactType === artifactType);
  }

  /** Closes the connections; questions that still run fail. */
  async close(): Promise<void> {
    await this.#upstream.close();
  }

  #contentError(message: string): UpstreamError {
    return new UpstreamError(this.#upstream.name, 'unavailable', 'content', message, { status: 200 });
  }
}
