import { warmBlob } from './benches/warm-blob.ts';
import { warmManifestByDigest, warmManifestByTag } from './benches/warm-manifest.ts';
import type { Bench } from './support/bench.ts';

/** Every bench, in the order of the results. */
export const CATALOGUE: readonly Bench[] = [warmManifestByTag, warmManifestByDigest, warmBlob];
