import { digestHex, digestOf, type Digest } from '../../src/oci/digest.ts';

/** Names of the content that fill-index-process.ts writes, for the benches that ask for it. */
const TAGS_A_REPOSITORY = 100;

/**
 * Returns the digest of one of `count` blobs, up to 2^32. Digests are spread evenly as hashes are, but ascend: SQLite
 * fills its tables in a fifth of the time that it takes for unordered digests.
 */
export function filledDigest(number: number, count: number): Digest {
  const place = Math.floor((number / count) * 2 ** 32);
  return `sha256:${place.toString(16).padStart(8, '0')}${digestHex(digestOf(`${number}`)).slice(8)}` as Digest;
}

/** Returns a blob's time of last use. The times are shuffled, so that eviction does not follow the order of digests. */
export function filledUse(number: number, count: number): number {
  return FIRST_USE + ((number * 7_368_787) % count);
}

const FIRST_USE = Date.UTC(2026, 0, 1);

export function filledRepository(tag: number): string {
  return `filled/repository-${Math.floor(tag / TAGS_A_REPOSITORY)}`;
}

export function filledTag(tag: number): string {
  return `v${tag % TAGS_A_REPOSITORY}`;
}
