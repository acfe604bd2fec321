import type { JobProgress } from '../../index/job-index.ts';
import type { Upkeep } from '../../upkeep/upkeep.ts';
import type { VerifyProgress, VerifyReport } from '../../upkeep/verify.ts';
import type { JobWork } from './job-work.ts';

export interface VerifyRequest {
  /** Whether bad or missing content is fetched again now. */
  readonly repair: boolean;
  /** Maximum bytes read per second; absent: no limit. */
  readonly bytesPerSecond?: number | undefined;
}

/** What a verification has found wrong, or repaired. */
type VerifyFinding = Exclude<VerifyProgress, { readonly kind: 'step' | 'hashed' }>;

export interface VerifyResult extends VerifyReport {
  /** The first findings. */
  readonly findings: readonly VerifyFinding[];
  /** How many more there were. */
  readonly moreFindings: number;
}

/** Findings that a result lists: the index keeps it, and a disk that fails may spoil every blob. */
const MAX_FINDINGS = 1000;

/** Returns the work that hashes again everything that is stored. */
export function verifyJob(upkeep: Pick<Upkeep, 'verify'>): JobWork<VerifyRequest, VerifyResult> {
  return async (request, { signal, report }) => {
    const findings: VerifyFinding[] = [];
    let found = 0;
    const onProgress = (progress: VerifyProgress): void => {
      const said = progressOf(progress);
      if (said !== undefined) report(said);
      if (!isFinding(progress)) return;
      found += 1;
      if (findings.length < MAX_FINDINGS) findings.push(progress);
    };
    const done = await upkeep.verify({ ...request, onProgress, signal });
    return { ...done, findings, moreFindings: found - findings.length };
  };
}

function isFinding(progress: VerifyProgress): progress is VerifyFinding {
  return progress.kind !== 'step' && progress.kind !== 'hashed';
}

function progressOf(progress: VerifyProgress): JobProgress | undefined {
  if (progress.kind !== 'hashed') return undefined;
  return { done: progress.bytes, total: progress.ofBytes, unit: 'bytes', note: `${progress.blobs} blobs` };
}
