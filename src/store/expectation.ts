import { digestAlgorithm, type Digest, type DigestAlgorithm } from '../oci/digest.ts';
import type { Expected, IngestOptions } from './blob-store.ts';
import { ExpectationError } from './error.ts';

/** What a commit verifies: by then the digest is known. */
export interface Agreed extends Expected {
  readonly digest: Digest;
}

/**
 * The algorithm that an ingest hashes by while its bytes come.
 * @throws ExpectationError where the digest is of another algorithm than the one that is named
 */
export function algorithmOf({ digest, algorithm }: IngestOptions): DigestAlgorithm {
  if (digest === undefined) return algorithm ?? 'sha256';
  const actual = digestAlgorithm(digest);
  assertSame('algorithm', algorithm, actual);
  return actual;
}

/**
 * Puts together what `ingest` and `commit` were told.
 * @throws ExpectationError where they were told different things, or neither was told the digest
 */
export function agree(atIngest: IngestOptions, atCommit: Expected): Agreed {
  assertSame('digest', atIngest.digest, atCommit.digest);
  assertSame('size', atIngest.size, atCommit.size);
  const digest = atIngest.digest ?? atCommit.digest;
  if (digest === undefined) throw new ExpectationError('the bytes cannot be committed without their digest');
  assertSame('algorithm', atIngest.algorithm, digestAlgorithm(digest));
  return { digest, size: atIngest.size ?? atCommit.size };
}

function assertSame<T extends string | number>(
  what: string,
  before: T | undefined,
  now: T | undefined,
): void {
  if (before === undefined || now === undefined || before === now) return;
  throw new ExpectationError(`the expected ${what} was ${before}, and is now said to be ${now}`);
}
