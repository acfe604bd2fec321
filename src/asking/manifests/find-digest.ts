import { digestAlgorithm, digestOf, type Digest, type DigestAlgorithm } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Asked } from '../asked.ts';
import { referenceOf } from '../../oci/image-reference.ts';
import type { Asker } from '../asker.ts';
import { findManifest } from './find-manifest.ts';

/**
 * Finds the digest that a reference stands for now. The registry tells it; by another algorithm than the registry's, it
 * is computed from the bytes of the manifest.
 * @throws AskError if there is no image for the platform; UpstreamError
 */
export async function findDigest(
  asker: Asker,
  asked: Asked,
  { platform, algorithm }: { readonly platform?: Platform | undefined; readonly algorithm: DigestAlgorithm },
): Promise<Digest> {
  if (platform === undefined) {
    const { digest } = await asker.resolve(asked.repository, referenceOf(asked));
    if (digestAlgorithm(digest) === algorithm) return digest;
  }
  const { digest, bytes } = await findManifest(asker, asked, platform);
  return digestAlgorithm(digest) === algorithm ? digest : digestOf(bytes, algorithm);
}
