/**
 * Why a digest belongs to a repository, the weakest first:
 * - `claimed`: a manifest of the repository names the digest. Only the account that pushed the manifest vouches for
 *   that, so the registry is asked before the digest is served.
 * - `confirmed`: the repository's registry has said that it has the digest.
 * - `given`: the bytes came in whole and verified through this repository.
 * - `imported`: an operator's bundle contained it.
 */
const BELONGING_SOURCES = ['claimed', 'confirmed', 'given', 'imported'] as const;

export type BelongingSource = (typeof BELONGING_SOURCES)[number];

/** A source that is enough to serve the digest. */
export type ServedSource = Exclude<BelongingSource, 'claimed'>;

/** Returns the number that is stored for the source: a greater number is a stronger source. */
export function sourceRank(source: BelongingSource): number {
  return BELONGING_SOURCES.indexOf(source);
}

/** Returns the source of a stored number; the weakest for a number that this Larder does not know. */
export function sourceOfRank(rank: number): BelongingSource {
  return BELONGING_SOURCES[rank] ?? 'claimed';
}
