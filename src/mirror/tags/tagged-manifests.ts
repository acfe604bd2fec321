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
 * Pulls the manifests of tags. Some registries give a manifest by its tag, but not by the digest that they tell for the
 * tag (moby#41687, nixery#102, nexus-public#1070). Clients that pull by tag do not notice. Larder asks by digest first,
 * since a digest that is cached already costs nothing.
 */
export class TaggedManifests {
  readonly #fetches: Flights<PulledManifest>;
  readonly #manifests: ManifestPuller;

  constructor(manifests: ManifestPuller, clock: Clock) {
    this.#manifests = manifests;
    this.#fetches = new Flights(clock);
  }

  /**
   * Pulls the manifest of a tag that stands for `digest`. It may be another manifest, if upstream gives it only by tag,
   * and has moved the tag meanwhile.
   * @throws UpstreamError if upstream gives it neither by digest nor by tag
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
   * Fetches the manifest by the tag itself.
   * @param told digest that upstream has told for the tag, if it has told one
   */
  async fetch(target: Target, tag: Tag, told?: Digest): Promise<PulledManifest> {
    const fetched = await target.upstream.manifest(target.key.repository, { kind: 'tag', tag });
    const manifest = await this.#manifests.take(target, namedBy(told, fetched));
    return { manifest, outcome: { hit: false, fwd: 'uri-miss', stored: fetched.verified } };
  }
}

/** Whether upstream has refused the digest, by any status: that says nothing about the tag. */
function isAboutDigest(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.status === undefined) return false;
  return error.status >= 400 && error.status < 500 && error.failure !== 'throttled';
}

/** Names the manifest by the told digest if it is right: the computed digest may be of another algorithm. */
function namedBy(told: Digest | undefined, fetched: FetchedManifest): FetchedManifest {
  if (told === undefined || !fetched.verified) return fetched;
  const isItsDigest = digestOf(fetched.bytes, digestAlgorithm(told)) === told;
  return isItsDigest ? { ...fetched, digest: told } : fetched;
}
