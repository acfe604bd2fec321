import { manifestEdges, referrerDescriptor } from '../../oci/manifest.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageName } from '../layout/image-name.ts';
import type { Examined } from './examined.ts';
import type { ImportCache } from './import-options.ts';

interface AnnounceOptions {
  /** The blobs of the bundle: what else the image has belongs to the repository already. */
  readonly bundled: ReadonlyMap<Digest, number>;
  readonly isPinned: boolean;
}

/**
 * Gives a whole image to its repository: first its blobs, then its manifests, what a manifest leads to before the
 * manifest, and its tag last. So a failure leaves no name that leads to nothing.
 * @throws IndexError
 */
export async function announce(
  { index, clock, onImported }: ImportCache,
  { key, reference }: ImageName,
  { manifests, blobs }: Examined,
  { bundled, isPinned }: AnnounceOptions,
): Promise<void> {
  const now = clock.now();
  const owned = blobs.filter((digest) => bundled.has(digest));
  for (const digest of owned) await index.putBelonging(key, digest, 'imported');
  for (const { digest, size, manifest } of manifests) {
    const entry = {
      descriptor: referrerDescriptor(manifest, { digest, size }),
      subject: manifest.subject?.digest,
    };
    await index.putManifest(key, entry, manifestEdges(manifest), { stored: { usedAt: now } });
    await index.putBelonging(key, digest, 'imported');
  }
  if (reference.kind === 'tag') {
    const digest = manifests.at(-1)?.digest;
    if (digest !== undefined) await index.putTag(key, reference.tag, { digest, checkedAt: now });
  }
  if (isPinned) {
    const { kind } = reference;
    await index.pin(
      kind === 'tag' ? { kind, key, tag: reference.tag } : { kind, digest: reference.digest },
      now,
    );
  }
  onImported(key, [...owned, ...manifests.map(({ digest }) => digest)]);
}
