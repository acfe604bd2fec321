/**
 * Why a digest belongs to a repository, the weakest first:
 * - `claimed`: a manifest of the repository names it. That is the word of the account that pushed the
 *   manifest, so the registry is asked before the digest is served.
 * - `confirmed`: the repository's registry has said so.
 * - `given`: the bytes came in whole and verified through this repository.
 * - `imported`: an operator's bundle has brought it.
 */
const BELONGING_SOURCES = ['claimed', 'confirmed', 'given', 'imported'] as const;

export type BelongingSource = (typeof BELONGING_SOURCES)[number];

/** One that is enough to serve the digest. */
export type ServedSource = Exclude<BelongingSource, 'claimed'>;

/** As it is stored: a greater number is a stronger source. */
export function sourceRank(source: BelongingSource): number {
  return BELONGING_SOURCES.indexOf(source);
}

export function sourceOfRank(rank: number): BelongingSource {
  return BELONGING_SOURCES[rank] ?? 'claimed';
}
