import { digestHex, digestOf, type Digest } from '../../src/oci/digest.ts';

/** The names of what fill-index-process.ts writes, for those who ask for it. */
const TAGS_A_REPOSITORY = 100;

/**
 * Spread evenly as hashes are, but in ascending order: SQLite fills its tables in a fifth of the time that it takes
 * for digests in disorder. Of up to 2^32.
 */
export function filledDigest(number: number, count: number): Digest {
  const place = Math.floor((number / count) * 2 ** 32);
  return `sha256:${place.toString(16).padStart(8, '0')}${digestHex(digestOf(`${number}`)).slice(8)}` as Digest;
}

/** When it was used last, in disorder: those that are evicted one after the other are not neighbours. */
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
