import type { StoredManifest } from '../content/stored-manifest.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { ListQuery } from '../oci/tag-names.ts';
import type { ListPage, ReferrersPage } from '../repository/list-page.ts';
import type { BlobStat, OpenedBlob } from '../repository/opened-blob.ts';
import { HIT } from '../repository/outcome.ts';
import type { ManifestHead, PulledManifest } from '../repository/pulled-manifest.ts';
import type { Asking, BlobQuestion, Repository } from '../repository/repository.ts';
import type { Resolution } from '../repository/resolution.ts';
import { askedAnew } from './asked-anew.ts';
import type { BlobPuller } from './blobs/blob-puller.ts';
import type { LastUse } from './last-use.ts';
import type { ReferrerLists } from './lists/referrer-lists.ts';
import type { TagLists } from './lists/tag-lists.ts';
import type { LinuxImages } from './manifests/linux-image.ts';
import { completeHead, type ManifestPuller } from './manifests/manifest-puller.ts';
import type { TagResolver } from './tags/tag-resolver.ts';
import { assertQuota } from './quota.ts';
import type { Target } from './target.ts';

/** What the repositories of all upstreams share. */
export interface MirrorParts {
  readonly tags: TagResolver;
  readonly manifests: ManifestPuller;
  readonly blobs: BlobPuller;
  readonly tagLists: TagLists;
  readonly referrerLists: ReferrerLists;
  readonly linuxImages: LinuxImages;
  readonly lastUse: LastUse;
}

/** A repository of an upstream: answers from the cache, else from upstream. */
export class MirroredRepository implements Repository {
  readonly #target: Target;
  readonly #parts: MirrorParts;

  constructor(target: Target, parts: MirrorParts) {
    this.#target = target;
    this.#parts = parts;
  }

  get key(): RepositoryKey {
    return this.#target.key;
  }

  async resolve(reference: Reference, asking: Asking): Promise<Resolution> {
    if (asking.sparesQuota === true) assertQuota(this.#target, 'not pulled, since');
    if (reference.kind === 'digest') return ofDigest(reference);
    const { digest, outcome, head, manifest } = await this.#parts.tags.resolve(
      this.#asked(asking),
      reference.tag,
    );
    return { reference, digest, outcome, head: completeHead(head), manifest };
  }

  resolveNow(reference: Reference): Resolution | undefined {
    if (reference.kind === 'digest') return ofDigest(reference);
    const resolution = this.#parts.tags.resolveNow(this.#target, reference.tag);
    return resolution && { reference, ...resolution };
  }

  manifest(resolution: Resolution): Promise<PulledManifest> {
    const { reference, digest } = resolution;
    return reference.kind === 'digest'
      ? this.#parts.manifests.pull(this.#target, digest)
      : this.#parts.tags.pull(this.#target, reference.tag, resolution);
  }

  manifestNow({ digest, outcome }: Resolution): PulledManifest | undefined {
    const manifest = this.#parts.manifests.pullNow(this.#target, digest);
    if (manifest === undefined) return undefined;
    this.#parts.lastUse.record(digest);
    return { manifest, outcome };
  }

  async manifestHead({ reference, digest, outcome, head }: Resolution): Promise<ManifestHead | undefined> {
    const { manifests, lastUse } = this.#parts;
    if (reference.kind === 'digest') {
      const upstreamHead = await manifests.head(this.#target, digest);
      return upstreamHead && { ...upstreamHead, outcome: { hit: false, fwd: 'uri-miss' } };
    }
    // A cached manifest has been verified; upstream's headers have not.
    if (head === undefined || (await manifests.local(this.key.registry, digest)) !== undefined)
      return undefined;
    // A client that asks whether there is a new version has the image in use.
    lastUse.record(digest);
    return { ...head, outcome };
  }

  linuxImage(index: StoredManifest): Promise<Digest> {
    return this.#parts.linuxImages.child(this.key.registry, index);
  }

  blob(digest: Digest, question: BlobQuestion): Promise<OpenedBlob> {
    return this.#parts.blobs.open(this.#target, digest, question);
  }

  blobHead(digest: Digest, { client }: Pick<BlobQuestion, 'client'>): Promise<BlobStat> {
    return this.#parts.blobs.stat(this.#target, digest, client);
  }

  tags(query: ListQuery, asking: Asking): Promise<ListPage> {
    return this.#parts.tagLists.list(this.#asked(asking), query);
  }

  referrers(subject: Digest, asking: Asking): Promise<ReferrersPage> {
    return this.#parts.referrerLists.list(this.#asked(asking), subject);
  }

  #asked({ isAnew }: Asking): Target {
    return isAnew ? askedAnew(this.#target) : this.#target;
  }
}

function ofDigest(reference: Reference & { readonly kind: 'digest' }): Resolution {
  return { reference, digest: reference.digest, outcome: HIT };
}
