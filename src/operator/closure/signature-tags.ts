import { digestAlgorithm, digestHex, type Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseTag } from '../../oci/tag.ts';

/** Suffixes of the tags under which cosign keeps signatures, attestations and SBOMs (cosign, specs/SIGNATURE_SPEC.md). */
const SUFFIXES = ['sig', 'att', 'sbom'];

/** Returns the tags that by cosign's schema stand for what is about a manifest. */
export function signatureTags(subject: Digest): readonly Reference[] {
  const name = `${digestAlgorithm(subject)}-${digestHex(subject)}`;
  return SUFFIXES.map((suffix) => ({ kind: 'tag', tag: parseTag(`${name}.${suffix}`) }));
}
