import { digestAlgorithm, digestOf, type Digest } from '../../oci/digest.ts';
import type { Tag } from '../../oci/tag.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { FetchedManifest } from '../../upstream/upstream.ts';
import { flightKey, Flights } from '../../async/flights.ts';
import type { Clock } from '../../clock.ts';
import type { ManifestPuller } from '../manifests/manifest-puller.ts';
import type { PulledManifest } from '../../repository/pulled-manifest.ts';
import type { Target } from '../target.ts';

/**
 * The manifests of tags. Some registries give a manifest by its tag, and not by the digest that they tell of it
 * (moby#41687, nixery#102, nexus-public#1070). Clients that pull by tag do not notice; Larder asks by digest first,
 * since a digest that is here already costs nothing.
 */
export class TaggedManifests {
  readonly #fetches: Flights<PulledManifest>;
  readonly #manifests: ManifestPuller;

  constructor(manifests: ManifestPuller, clock: Clock) {
    this.#manifests = manifests;
    this.#fetches = new Flights(clock);
  }

  /**
   * The manifest of a tag that stands for `digest`; another one, where upstream gives by the tag only, and has moved
   * it meanwhile.
   * @throws UpstreamError where upstream gives it by neither
   */
  async pull(target: Target, tag: Tag, digest: Digest): Promise<PulledManifest> {
    try {
      return await this.#manifests.pull(target, digest);
    } catch (error) {
      if (!isAboutDigest(error)) throw error;
    }
    const { registry: upstream, repository } = target.key;
    const key = flightKey(upstream, repository, tag, digest);
    const { promise, collapsed } = this.#fetches.join(key, () => this.fetch(target, tag, digest));
    const pulled = await promise;
    return { ...pulled, outcome: { ...pulled.outcome, collapsed } };
  }

  /**
   * Asks for the tag itself.
   * @param told what upstream says that the tag stands for, where it does
   */
  async fetch(target: Target, tag: Tag, told?: Digest): Promise<PulledManifest> {
    const fetched = await target.upstream.manifest(target.key.repository, { kind: 'tag', tag });
    const manifest = await this.#manifests.take(target, namedBy(told, fetched));
    return { manifest, outcome: { hit: false, fwd: 'uri-miss', stored: fetched.verified } };
  }
}

/** Upstream has refused the digest, in whatever words: that says nothing of the tag. */
function isAboutDigest(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.status === undefined) return false;
  return error.status >= 400 && error.status < 500 && error.failure !== 'throttled';
}

/** By the digest that was told, where it is theirs: it may be of another algorithm than the one computed. */
function namedBy(told: Digest | undefined, fetched: FetchedManifest): FetchedManifest {
  if (told === undefined || !fetched.verified) return fetched;
  const isTheirs = digestOf(fetched.bytes, digestAlgorithm(told)) === told;
  return isTheirs ? { ...fetched, digest: told } : fetched;
}
