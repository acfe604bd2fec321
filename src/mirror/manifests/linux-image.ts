import { LRUCache } from 'lru-cache';
import type { Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { selectPlatform } from '../../oci/platform.ts';
import type { Work } from '../../upstream/registry/parsing/functions.ts';
import { inlineParser, type Parser } from '../../upstream/registry/parsing/parser.ts';
import { readDocument } from '../../upstream/registry/read-document.ts';
import { flightKey, Flights } from '../../async/flights.ts';
import type { StoredManifest } from '../../content/stored-manifest.ts';

/** Bound on the choices in memory, since clients choose which indexes they ask for. */
const MAX_INDEXES = 10_000;

/** The linux/amd64 image of an index; undefined if it has none. */
interface Chosen {
  readonly child: Digest | undefined;
}

/**
 * Chooses the image of an index for clients that know only single images: as distribution does for Docker lists, here
 * for OCI indexes too. Each index is read only once, for all requests and clients: large indexes wait in one queue with
 * the large documents of all upstreams, and must not fill it.
 */
export class LinuxImages {
  readonly #parser: Parser;
  readonly #chosen = new LRUCache<string, Chosen>({ max: MAX_INDEXES });
  readonly #readings: Flights<Chosen>;

  /** @param now the monotonic clock */
  constructor(now: () => number, parser: Parser = inlineParser) {
    this.#parser = parser;
    this.#readings = new Flights({ monotonic: now });
  }

  /**
   * Returns the digest of the index's linux/amd64 image.
   * @throws RegistryError MANIFEST_UNKNOWN if the index has none
   * @throws UpstreamError if the index cannot be read at present
   */
  async child(upstream: string, index: StoredManifest): Promise<Digest> {
    // The type, which the upstream tells, decides how the bytes are read; and an error names the upstream.
    const key = flightKey(upstream, index.mediaType, index.digest);
    const chosen = this.#chosen.get(key);
    const { child } =
      chosen ?? (await this.#readings.join(key, () => this.#read(key, upstream, index)).promise);
    if (child !== undefined) return child;
    throw new RegistryError(
      'MANIFEST_UNKNOWN',
      `${index.digest} is an image index without a linux/amd64 image, and Accept names no index type`,
    );
  }

  async #read(key: string, upstream: string, { bytes, mediaType }: StoredManifest): Promise<Chosen> {
    const work: Work<'manifest'> = { name: 'manifest', args: [bytes, mediaType] };
    const reading = await readDocument(upstream, this.#parser, work, bytes.length);
    const manifests = 'read' in reading ? reading.read.manifests : [];
    const child = selectPlatform(manifests, { os: 'linux', architecture: 'amd64' });
    const chosen = { child: child?.digest };
    this.#chosen.set(key, chosen);
    return chosen;
  }
}
