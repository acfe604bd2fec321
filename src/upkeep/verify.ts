import type { BlobIndex, StoredUse } from '../index/blob-index.ts';
import type { Digest } from '../oci/digest.ts';
import { StoreError } from '../store/error.ts';
import type { MaintainedContent } from './maintained-content.ts';
import { setAside, type Broken, type OnBroken } from './findings.ts';
import { Pacer } from '../async/pace.ts';
import { reconcileSteps, ROWS_PER_SECOND } from './reconcile.ts';
import { rehashBlob } from './rehash.ts';
import { findEarlierBroken, repairBlob, type FindRepository } from './repair.ts';
import { runSteps, totalsOf, type Step, type StepReport, type StepStats } from './steps.ts';

export interface VerifyOptions {
  /** Whether bad or missing content is fetched again now, rather than when a client next asks for it. */
  readonly repair: boolean;
  /** Maximum bytes read per second; undefined: no limit. */
  readonly bytesPerSecond?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  /** The last digest that an earlier run has verified: this one begins after it. */
  readonly after?: Digest | undefined;
  /** Called now and then with the last digest that was verified. */
  readonly onPosition?: ((digest: Digest) => Promise<void>) | undefined;
}

export type VerifyProgress =
  | ({ readonly kind: 'step' } & StepReport)
  | { readonly kind: 'hashed'; readonly blobs: number; readonly bytes: number; readonly ofBytes: number }
  /** A blob was wrong or unreadable. */
  | { readonly kind: 'quarantined'; readonly digest: Digest; readonly reason: string }
  /** A blob could be neither read nor set aside. */
  | { readonly kind: 'failed'; readonly digest: Digest; readonly reason: string }
  | { readonly kind: 'repaired'; readonly digest: Digest }
  | { readonly kind: 'not-repaired'; readonly digest: Digest; readonly reason: string };

/** The outcome of a whole verification. */
export interface VerifyReport {
  readonly steps: readonly StepReport[];
  readonly totals: StepStats;
  /** Whether everything was right, or is right again. */
  readonly isSound: boolean;
}

const PAGE = 100;
const REPORT_EVERY_BYTES = 64 * 1024 * 1024;

/**
 * Verifies the whole store:
 * 1. and 2. make the index and the disk agree (`reconcileSteps`);
 * 3. hashes every blob; a wrong one goes to quarantine, and heals from upstream when a client next asks for it;
 * 4. with `repair`, at once fetches again what this run or an earlier one has set aside.
 * @throws IndexError; StoreError if the store as a whole cannot be read; the signal's reason
 */
export async function verifyContent(
  content: MaintainedContent,
  findRepository: FindRepository,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const { signal, onProgress = () => {} } = options;
  const isPaced = options.bytesPerSecond !== undefined;
  const rows = new Pacer(content.clock, isPaced ? ROWS_PER_SECOND : undefined, signal);
  const pacer = new Pacer(content.clock, options.bytesPerSecond, signal);
  const broken: Broken[] = [];
  const onBroken = (found: Broken): void => {
    broken.push(found);
    onProgress({ kind: 'quarantined', digest: found.digest, reason: found.reason });
  };
  const steps: Record<string, Step> = {
    ...reconcileSteps(content, rows, onBroken),
    'hash blobs': () => hashBlobs(content, options, { pacer, onBroken, onProgress }),
  };
  if (options.repair) {
    steps['repair blobs'] = () => repairBlobs(content, findRepository, { broken, onProgress, signal });
  }
  const reports = await runSteps(steps, content.clock, (report) => onProgress({ kind: 'step', ...report }));
  const totals = totalsOf(reports);
  return { steps: reports, totals, isSound: isSound(totals) };
}

/** Whether nothing is wrong any more: after a repair, only what could not be repaired counts. */
function isSound({ quarantined = 0, repaired, unrepaired = 0, failed = 0 }: StepStats): boolean {
  return failed === 0 && (repaired === undefined ? quarantined : unrepaired) === 0;
}

interface HashRun {
  readonly pacer: Pacer;
  readonly onBroken: OnBroken;
  readonly onProgress: (progress: VerifyProgress) => void;
}

async function hashBlobs(
  content: MaintainedContent,
  options: VerifyOptions,
  run: HashRun,
): Promise<StepStats> {
  const counts = { hashed: 0, bytes: 0, quarantined: 0, failed: 0 };
  const { bytes: ofBytes } = await content.index.stats();
  let reportedBytes = 0;
  for await (const blob of blobsAfter(content.index, options.after)) {
    const outcome = await checkBlob(content, blob, run);
    if (outcome === 'gone') continue;
    counts.hashed += 1;
    counts.bytes += blob.size;
    if (outcome !== 'right') counts[outcome] += 1;
    if (counts.bytes - reportedBytes < REPORT_EVERY_BYTES) continue;
    reportedBytes = counts.bytes;
    run.onProgress({ kind: 'hashed', blobs: counts.hashed, bytes: counts.bytes, ofBytes });
    await options.onPosition?.(blob.digest);
  }
  return counts;
}

async function* blobsAfter(index: BlobIndex, start: Digest | undefined): AsyncGenerator<StoredUse> {
  let after = start;
  do {
    const page = await index.blobs({ after, limit: PAGE });
    yield* page;
    after = page.at(-1)?.digest;
  } while (after !== undefined);
}

async function checkBlob(
  content: MaintainedContent,
  blob: StoredUse,
  { pacer, onBroken, onProgress }: HashRun,
): Promise<'right' | 'gone' | 'quarantined' | 'failed'> {
  const { digest } = blob;
  try {
    const finding = await rehashBlob(content.store, blob, (bytes) => pacer.spend(bytes));
    if (finding.kind !== 'wrong') return finding.kind;
    await setAside(content, digest, finding.error, onBroken);
    return 'quarantined';
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    onProgress({ kind: 'failed', digest, reason: error.message });
    return 'failed';
  }
}

interface RepairRun {
  readonly broken: readonly Broken[];
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly signal: AbortSignal;
}

async function repairBlobs(
  content: MaintainedContent,
  findRepository: FindRepository,
  { broken, onProgress, signal }: RepairRun,
): Promise<StepStats> {
  const counts = { repaired: 0, unrepaired: 0 };
  for (const blob of [...broken, ...(await findEarlierBroken(content, broken))]) {
    signal.throwIfAborted();
    const { digest } = blob;
    const reason = await repairBlob(content, findRepository, blob);
    counts[reason === undefined ? 'repaired' : 'unrepaired'] += 1;
    onProgress(
      reason === undefined ? { kind: 'repaired', digest } : { kind: 'not-repaired', digest, reason },
    );
  }
  return counts;
}
