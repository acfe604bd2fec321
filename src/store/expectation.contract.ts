import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestAlgorithm, digestOf, type Digest } from '../oci/digest.ts';
import type { Expected, Ingest, IngestOptions } from './blob-store.ts';
import { quarantineOf } from './capabilities.ts';
import { ExpectationError, VerificationError } from './error.ts';
import {
  collect,
  DIGEST,
  errorOf,
  EXPECTED,
  expectSetAside,
  HELLO,
  isPending,
  openAndRead,
  readThrough,
  WRONG,
  type StoreSubject,
} from './store-under-test.contract.ts';

const SIZE = HELLO.byteLength;
const DIGEST_512 = digestOf(HELLO, 'sha512');

/** Tests what every implementation does if the bytes' digest, size or algorithm is given late, or twice. */
export function describeExpectations(subject: StoreSubject): void {
  const begin = async (options: IngestOptions, bytes: Uint8Array = HELLO): Promise<Ingest> => {
    const ingest = await subject.store.ingest(options);
    await ingest.write([bytes]);
    return ingest;
  };

  it.each<[IngestOptions, Expected]>([
    [{}, { digest: DIGEST }],
    [{}, EXPECTED],
    [{}, { digest: DIGEST_512 }],
    [{ algorithm: 'sha512' }, { digest: DIGEST_512, size: SIZE }],
    [{ algorithm: 'sha256' }, { digest: DIGEST }],
    [{ size: SIZE }, { digest: DIGEST }],
    [{ digest: DIGEST, algorithm: 'sha256' }, {}],
    [{ digest: DIGEST_512 }, { digest: DIGEST_512, size: SIZE }],
  ])('begun with %j, commits to %j', async (options, expected) => {
    await using ingest = await begin(options);
    expect(ingest.expected).toMatchObject(options.digest === undefined ? {} : { digest: options.digest });
    const { digest } = { ...options, ...expected };
    const committing = ingest.commit(expected);
    expect(ingest.expected.digest).toBe(digest);
    expect(await committing).toEqual({ digest, size: SIZE });
    expect(await collect(subject.store.list())).toMatchObject([{ digest, size: SIZE }]);
    const reader = (await subject.store.open(digest!))!;
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
  });

  it.each<[string, IngestOptions, Expected, RegExp]>([
    ['another digest', EXPECTED, { digest: digestOf(WRONG) }, /expected digest was sha256:.* now .* sha256:/],
    ['the digest by another algorithm', EXPECTED, { digest: DIGEST_512 }, /expected digest was sha256/],
    ['another size', EXPECTED, { size: SIZE + 1 }, /expected size was 13, and is now said to be 14/],
    ['another algorithm', { algorithm: 'sha512' }, { digest: DIGEST }, /algorithm was sha512, .* sha256/],
    ['no digest at all', { size: SIZE }, { size: SIZE }, /cannot be committed without their digest/],
  ])('refuses %s at commit', async (_case, options, expected, message) => {
    await using ingest = await begin(options);
    const reader = await ingest.follow();
    const error = (await errorOf(ingest.commit(expected))) as Error;
    expect(error).toBeInstanceOf(ExpectationError);
    expect(error.message).toMatch(message);
    // The ingest has ended by the caller's mistake, so the bytes are not kept in quarantine.
    expect(await errorOf(ingest.commit(EXPECTED))).toBe(error);
    expect(await errorOf(ingest.write([HELLO]))).toBe(error);
    expect(await errorOf(readThrough(reader))).toBe(error);
    expect(await collect(subject.store.list())).toEqual([]);
    expect(await subject.quarantined()).toBe(0);
    await reader.close();
  });

  it('begins nothing by an algorithm that is not the digest’s', async () => {
    const begun = subject.store.ingest({ digest: DIGEST, algorithm: 'sha512' });
    expect(await errorOf(begun)).toBeInstanceOf(ExpectationError);
  });

  it('reports all that was expected of bytes that prove wrong', async () => {
    await using ingest = await begin({ size: SIZE }, WRONG);
    expect(await errorOf(ingest.commit({ digest: DIGEST }))).toMatchObject({ expected: EXPECTED });
    await expectSetAside(subject, 1);
  });

  it('refuses too many bytes even if their digest is unknown', async () => {
    await using ingest = await subject.store.ingest({ size: 5 });
    expect(await errorOf(ingest.write([HELLO]))).toBeInstanceOf(VerificationError);
    await expectSetAside(subject, 1);
  });

  it('may be told when the bytes are verified, and then stands', async () => {
    await using ingest = await begin({});
    expect(await ingest.verify({ digest: DIGEST })).toEqual(EXPECTED);
    expect(ingest.expected).toMatchObject({ digest: DIGEST });
    const error = await errorOf(ingest.commit({ digest: digestOf(WRONG) }));
    expect(error).toBeInstanceOf(ExpectationError);
    expect(await errorOf(ingest.commit())).toBe(error);
    expect(await collect(subject.store.list())).toEqual([]);
    expect(await subject.quarantined()).toBe(0);
  });

  it('is not undone by a second commit that expects something else', async () => {
    await using ingest = await begin({});
    const first = ingest.commit(EXPECTED);
    expect(await errorOf(ingest.commit({ digest: digestOf(WRONG) }))).toBeInstanceOf(ExpectationError);
    expect(await first).toEqual(EXPECTED);
    expect(await ingest.commit()).toEqual(EXPECTED);
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });

  it.each<[IngestOptions, number]>([
    [{ size: SIZE }, SIZE - 1],
    [{}, SIZE],
  ])('begun with %j, lets a follower have %i bytes before commit, and no end', async (options, readable) => {
    await using ingest = await begin(options);
    const reader = await ingest.follow();
    expect(await reader.available(0)).toBe(readable);
    const end = reader.available(SIZE);
    expect(await isPending(end)).toBe(true);
    const committing = ingest.commit(EXPECTED);
    expect(await end).toBe(SIZE);
    await committing;
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
  });

  it('has the right outcome for any expectations, at any time, of any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        expect(await play(subject, scenario)).toEqual(outcomeOf(scenario));
      }),
      { numRuns: 150 },
    );
  }, 60_000);
}

interface Scenario {
  readonly bytes: Uint8Array;
  readonly options: IngestOptions;
  readonly expected: Expected;
}

/** Digests and sizes are mostly right; otherwise nothing would ever be stored. */
const scenarios: fc.Arbitrary<Scenario> = fc.uint8Array({ minLength: 1, maxLength: 3000 }).chain((bytes) => {
  const right = [digestOf(bytes), digestOf(bytes), digestOf(bytes, 'sha512')];
  const digest = fc.option(fc.constantFrom(...right, DIGEST), { nil: undefined });
  const { length } = bytes;
  const size = fc.option(fc.constantFrom(length, length, length + 1, length - 1), { nil: undefined });
  const algorithm = fc.option(fc.constantFrom('sha256', 'sha512'), { nil: undefined, freq: 1 });
  return fc.record({
    bytes: fc.constant(bytes),
    options: fc.record({ digest, size, algorithm }),
    expected: fc.record({ digest, size }),
  });
});

type Outcome = 'contradiction' | 'wrong bytes' | Digest;

function outcomeOf({ bytes, options, expected }: Scenario): Outcome {
  const digests = new Set([options.digest, expected.digest].filter((digest) => digest !== undefined));
  const isOf = (algorithm: string): boolean => [...digests].every((digest) => digest.startsWith(algorithm));
  if (
    options.digest !== undefined &&
    options.algorithm !== undefined &&
    !options.digest.startsWith(options.algorithm)
  ) {
    return 'contradiction';
  }
  if (options.size !== undefined && bytes.length > options.size) return 'wrong bytes';
  const sizes = new Set([options.size, expected.size].filter((size) => size !== undefined));
  const [digest] = digests;
  if (digest === undefined || digests.size > 1 || sizes.size > 1) return 'contradiction';
  if (options.algorithm !== undefined && !isOf(options.algorithm)) return 'contradiction';
  if ([...sizes].some((size) => size !== bytes.length)) return 'wrong bytes';
  return digest === digestOf(bytes, digestAlgorithm(digest)) ? digest : 'wrong bytes';
}

/** Ingests the bytes in two pieces, with a follower. Returns what is stored in the end. */
async function play(subject: StoreSubject, scenario: Scenario): Promise<Outcome> {
  const { store } = subject;
  const { bytes, options, expected } = scenario;
  let outcome: Outcome;
  try {
    await using ingest = await store.ingest(options);
    outcome = await ingestAndFollow(ingest, bytes, expected);
  } catch (error) {
    outcome = kindOf(error);
  }
  const stored = await collect(store.list());
  expect(stored.map(({ digest }) => digest)).toEqual(isFailure(outcome) ? [] : [outcome]);
  await expectSetAside(subject, outcome === 'wrong bytes' ? 1 : 0);
  await quarantineOf(store).drop(Number.POSITIVE_INFINITY);
  for (const { digest } of stored) await store.delete(digest);
  return outcome;
}

async function ingestAndFollow(ingest: Ingest, bytes: Uint8Array, expected: Expected): Promise<Outcome> {
  const reader = await ingest.follow();
  const following = readThrough(reader, 500).then(
    (read) => digestOf(read),
    (error: unknown) => kindOf(error),
  );
  let outcome: Outcome;
  try {
    await ingest.write([bytes.subarray(0, bytes.length / 2)]);
    await ingest.write([bytes.subarray(bytes.length / 2)]);
    outcome = (await ingest.commit(expected)).digest;
  } catch (error) {
    outcome = kindOf(error);
  }
  // Only followers of right bytes reach the end.
  expect(await following).toBe(isFailure(outcome) ? outcome : digestOf(bytes));
  await reader.close();
  return outcome;
}

function isFailure(outcome: Outcome): boolean {
  return outcome === 'contradiction' || outcome === 'wrong bytes';
}

function kindOf(error: unknown): Outcome {
  if (error instanceof ExpectationError) return 'contradiction';
  if (error instanceof VerificationError) return 'wrong bytes';
  throw error;
}
