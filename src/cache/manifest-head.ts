import type { PulledManifest, Told } from './manifests.ts';
import type { Outcome } from './outcome.ts';

/** What a manifest's headers tell. */
export interface ManifestHead extends Told {
  readonly outcome: Outcome;
}

export function headOf({ manifest, outcome }: PulledManifest): ManifestHead {
  return { digest: manifest.digest, mediaType: manifest.mediaType, size: manifest.bytes.length, outcome };
}
