import { digestAlgorithm, type Digest, type DigestAlgorithm } from '../oci/digest.ts';
import type { Expected, IngestOptions } from './blob-store.ts';
import { ExpectationError } from './error.ts';

/** What is verified: by then the digest is known. */
export interface Agreed extends Expected {
  readonly digest: Digest;
}

/**
 * Returns the algorithm by which an ingest hashes arriving bytes.
 * @throws ExpectationError if the digest's algorithm is not the one that is named
 */
export function algorithmOf({ digest, algorithm }: IngestOptions): DigestAlgorithm {
  if (digest === undefined) return algorithm ?? 'sha256';
  const actual = digestAlgorithm(digest);
  assertSame('algorithm', algorithm, actual);
  return actual;
}

/**
 * Combines the expectations that `ingest`, and then `verify` or `commit`, were given.
 * @throws ExpectationError if they contradict each other, or neither has the digest
 */
export function agree(atIngest: IngestOptions, atEnd: Expected): Agreed {
  assertSame('digest', atIngest.digest, atEnd.digest);
  assertSame('size', atIngest.size, atEnd.size);
  const digest = atIngest.digest ?? atEnd.digest;
  if (digest === undefined) throw new ExpectationError('the bytes cannot be committed without their digest');
  assertSame('algorithm', atIngest.algorithm, digestAlgorithm(digest));
  return { digest, size: atIngest.size ?? atEnd.size };
}

function assertSame<T extends string | number>(
  what: string,
  before: T | undefined,
  now: T | undefined,
): void {
  if (before === undefined || now === undefined || before === now) return;
  throw new ExpectationError(`the expected ${what} was ${before}, and is now said to be ${now}`);
}
