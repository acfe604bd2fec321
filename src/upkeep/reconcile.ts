import { VerificationError } from '../store/error.ts';
import type { StoredUse } from '../index/blob-index.ts';
import { adoptBlob } from './adopt.ts';
import type { MaintainedContent } from './maintained-content.ts';
import { setAside, type OnBroken } from './findings.ts';
import type { Pacer } from '../async/pace.ts';
import type { Step, StepStats } from './steps.ts';

const PAGE = 200;

/** At this pace a hundred thousand blobs take ten seconds, and clients that are served meanwhile do not notice. */
export const ROWS_PER_SECOND = 10_000;

/**
 * Returns the steps that make the index and the disk agree after a crash, or after either was lost:
 * 1. remove rows without bytes: their content is a miss, and comes from upstream again;
 * 2. adopt bytes without a row: they count, and are served once upstream has confirmed their repository.
 * Neither step reads any bytes but manifests'.
 */
export function reconcileSteps(
  content: MaintainedContent,
  pacer: Pacer,
  onBroken: OnBroken = () => {},
): Readonly<Record<string, Step>> {
  return {
    'remove rows without bytes': () => removeRowsWithoutBytes(content, pacer, onBroken),
    'adopt bytes without rows': () => adoptBytesWithoutRows(content, pacer, onBroken),
  };
}

async function removeRowsWithoutBytes(
  content: MaintainedContent,
  pacer: Pacer,
  onBroken: OnBroken,
): Promise<StepStats> {
  const { index } = content;
  const counts = { rows: 0, removed: 0, quarantined: 0 };
  let after: StoredUse['digest'] | undefined;
  for (;;) {
    const page = await index.blobs({ after, limit: PAGE });
    for (const row of page) {
      counts.rows += 1;
      const outcome = await checkRow(content, row, onBroken);
      if (outcome !== 'right') counts[outcome] += 1;
      await pacer.spend(1);
    }
    after = page.at(-1)?.digest;
    if (after === undefined) return counts;
  }
}

async function checkRow(
  content: MaintainedContent,
  row: StoredUse,
  onBroken: OnBroken,
): Promise<'right' | 'removed' | 'quarantined'> {
  const { store, index, mirror } = content;
  const stored = await store.stat(row.digest);
  if (stored?.size === row.size) return 'right';
  if (stored !== undefined) {
    const error = new VerificationError(row, `${stored.size} bytes are left of ${row.size}`);
    await setAside(content, row.digest, error, onBroken);
    return 'quarantined';
  }
  await index.loseBlob(row.digest);
  await mirror.lost(row.digest);
  // A fill may have published the bytes meanwhile.
  const arrived = await store.stat(row.digest);
  if (arrived !== undefined) await adoptBlob(content, arrived, onBroken);
  return 'removed';
}

async function adoptBytesWithoutRows(
  content: MaintainedContent,
  pacer: Pacer,
  onBroken: OnBroken,
): Promise<StepStats> {
  const counts = { blobs: 0, adopted: 0, manifests: 0, quarantined: 0 };
  for await (const blob of content.store.list()) {
    counts.blobs += 1;
    const outcome = await adoptBlob(content, blob, onBroken);
    if (outcome === 'unreadable') counts.quarantined += 1;
    else if (outcome !== 'known') counts.adopted += 1;
    if (outcome === 'manifest') counts.manifests += 1;
    await pacer.spend(1);
  }
  return counts;
}
