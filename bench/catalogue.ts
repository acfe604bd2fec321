import { blobsFromDisk } from './benches/blobs-from-disk.ts';
import { coldBlob, coldBlobByTls } from './benches/cold-blob.ts';
import { coldBlobsAtOnce, coldBlobsAtOnceByTls } from './benches/cold-blobs-at-once.ts';
import { coldFirstByte } from './benches/cold-first-byte.ts';
import { disturbedManifests, steadyManifests, steadyManifestsByTls } from './benches/disturbed-manifests.ts';
import { largeDocuments } from './benches/large-documents.ts';
import { manySlowFills, manySlowFillsByTls } from './benches/many-slow-fills.ts';
import { millionBlobs } from './benches/million-blobs.ts';
import { smallLayers, smallLayersByTls } from './benches/small-layers.ts';
import { slowReaders } from './benches/slow-readers.ts';
import { stampede } from './benches/stampede.ts';
import { warmBlob, warmBlobByReading, warmBlobCounted } from './benches/warm-blob.ts';
import { warmBlobByTls, warmManifestByTls } from './benches/warm-by-tls.ts';
import { warmManifestByDigest, warmManifestByTag } from './benches/warm-manifest.ts';
import { warmManifestForUser } from './benches/warm-manifest-for-user.ts';
import { warmSmallBlobs } from './benches/warm-small-blobs.ts';
import type { Bench } from './support/bench.ts';

/** Every bench, in the order of the results. */
export const CATALOGUE: readonly Bench[] = [
  warmManifestByTag,
  warmManifestByDigest,
  warmManifestForUser,
  warmBlob,
  warmBlobCounted,
  warmBlobByReading,
  warmBlobByTls,
  warmManifestByTls,
  warmSmallBlobs,
  blobsFromDisk,
  coldBlob,
  coldBlobByTls,
  coldFirstByte,
  stampede,
  coldBlobsAtOnce,
  coldBlobsAtOnceByTls,
  smallLayers,
  smallLayersByTls,
  manySlowFills,
  manySlowFillsByTls,
  slowReaders,
  millionBlobs,
  disturbedManifests,
  steadyManifests,
  steadyManifestsByTls,
  largeDocuments,
];

/** The benches of a smoke run: all code, each part of it once. */
export const SMOKE: readonly Bench[] = CATALOGUE.filter((bench) => bench.isLeftOutOfSmoke !== true);
