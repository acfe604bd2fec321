import type { Descriptor } from './descriptor.ts';

/** BuildKit's annotation: the digest of the image that an attestation beside it in the index is about. */
const ABOUT = 'vnd.docker.reference.digest';

/** Returns the digest, as it is written, of the image that an attestation is about; undefined if it is none. */
export function attestedImage({ annotations }: Pick<Descriptor, 'annotations'>): string | undefined {
  return annotations?.[ABOUT];
}
