import type { Clock } from '../../clock.ts';
import type { ContentSurvey } from '../../index/content-survey.ts';
import type { JobProgress } from '../../index/job-index.ts';
import { isDigest, type Digest } from '../../oci/digest.ts';
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

export interface VerifyParts {
  readonly upkeep: Pick<Upkeep, 'verify'>;
  readonly index: Pick<ContentSurvey, 'note' | 'putNote'>;
  readonly clock: Clock;
}

/**
 * Returns the work that hashes again everything that is stored. Work that was broken off in the last day goes on behind
 * the last blob that it has verified, with what it had found, if it is asked to repair as before.
 */
export function verifyJob({ upkeep, index, clock }: VerifyParts): JobWork<VerifyRequest, VerifyResult> {
  return async (request, { signal, report }) => {
    const { repair } = request;
    const before = usableNote(await index.note(NOTE), repair, clock.now());
    const findings = [...(before?.findings ?? [])];
    let moreFindings = before?.moreFindings ?? 0;
    const onProgress = (progress: VerifyProgress): void => {
      const said = progressOf(progress);
      if (said !== undefined) report(said);
      if (!isFinding(progress)) return;
      if (findings.length < MAX_FINDINGS) findings.push(progress);
      else moreFindings += 1;
    };
    const onPosition = (after: Digest): Promise<void> => {
      const note: VerifyNote = { repair, after, at: clock.now(), findings, moreFindings };
      return index.putNote(NOTE, JSON.stringify(note));
    };
    const done = await upkeep.verify({ ...request, after: before?.after, onProgress, onPosition, signal });
    await index.putNote(NOTE, '{}');
    const isSound = done.isSound && !(before?.findings ?? []).some((finding) => isLeft(finding, repair));
    return { ...done, isSound, findings, moreFindings };
  };
}

const NOTE = 'verify-job';

/** Age of a note, milliseconds, from which on everything is verified anew. */
const MAX_NOTE_AGE = 24 * 3_600_000;

/** How far a verification has got. */
interface VerifyNote extends Pick<VerifyResult, 'findings' | 'moreFindings'> {
  readonly repair: boolean;
  /** The last digest that was verified. */
  readonly after: Digest;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

function usableNote(text: string | undefined, repair: boolean, now: number): VerifyNote | undefined {
  const note = parseNote(text);
  const { after, at = -Infinity } = note;
  if (
    after === undefined ||
    !isDigest(after) ||
    note.repair !== repair ||
    at > now ||
    now - at > MAX_NOTE_AGE
  )
    return undefined;
  return note as VerifyNote;
}

/** What cannot be read is no note: everything is verified anew. */
function parseNote(text: string | undefined): Partial<VerifyNote> {
  try {
    return JSON.parse(text ?? '{}') as Partial<VerifyNote>;
  } catch {
    return {};
  }
}

/** Whether something that an earlier run has found is still wrong: the repair looks for all that was set aside. */
function isLeft({ kind }: VerifyFinding, repair: boolean): boolean {
  return kind === 'failed' || (kind === 'quarantined' && !repair);
}

function isFinding(progress: VerifyProgress): progress is VerifyFinding {
  return progress.kind !== 'step' && progress.kind !== 'hashed';
}

function progressOf(progress: VerifyProgress): JobProgress | undefined {
  if (progress.kind !== 'hashed') return undefined;
  return { done: progress.bytes, total: progress.ofBytes, unit: 'bytes', note: `${progress.blobs} blobs` };
}
