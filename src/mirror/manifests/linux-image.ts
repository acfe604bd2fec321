import { LRUCache } from 'lru-cache';
import type { Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { selectPlatform } from '../../oci/platform.ts';
import type { Work } from '../../upstream/registry/parsing/functions.ts';
import { inlineParser, type Parser } from '../../upstream/registry/parsing/parser.ts';
import { readDocument } from '../../upstream/registry/read-document.ts';
import { flightKey, Flights } from '../../async/flights.ts';
import type { StoredManifest } from '../../content/stored-manifest.ts';

/** Clients choose which indexes are asked for. */
const MAX_INDEXES = 10_000;

/** What an index says of linux/amd64. */
interface Chosen {
  readonly child: Digest | undefined;
}

/**
 * The images of indexes for clients that know single images only: as distribution does for Docker lists, here for OCI
 * indexes too. Each index is read once, however often and by however many clients it is asked for: large ones wait in
 * one queue with the large documents of all upstreams, and must not fill it.
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
   * @throws RegistryError MANIFEST_UNKNOWN where it has none for linux/amd64
   * @throws UpstreamError where the index cannot be read at present
   */
  async child(upstream: string, index: StoredManifest): Promise<Digest> {
    // One digest is read differently as another type, which is the upstream's word; a failure names the upstream.
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
