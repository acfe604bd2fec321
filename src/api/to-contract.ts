import type { JobEntry, JobSummary as JobSummaryEntry } from '../index/job-index.ts';
import type { PinEntry } from '../index/pin-index.ts';
import type { ContentStats, RepositoryRow, TagRow } from '../operator/inventory.ts';
import type { PinnedName, CachedRepository, Stats, CachedTag } from './contract/content.ts';
import type { Job, ListedJob } from './contract/jobs.ts';

/** Returns a time as the contract writes it. @param ms milliseconds since the epoch */
function time(ms: number): string {
  return new Date(ms).toISOString();
}

export function toRepository({ usedAt, ...row }: RepositoryRow): CachedRepository {
  return { ...row, lastUse: usedAt === undefined ? null : time(usedAt) };
}

export function toTag({ usedAt, checkedAt, ...row }: TagRow): CachedTag {
  return { ...row, lastUse: usedAt === undefined ? null : time(usedAt), checked: time(checkedAt) };
}

export function toPin({ name, digest, pinnedAt }: PinEntry): PinnedName {
  return { name, digest: digest ?? null, pinnedAt: time(pinnedAt) };
}

export function toStats({ maxBytes, upstreams, ...stats }: ContentStats): Stats {
  return { ...stats, maxBytes: maxBytes ?? null, upstreams: [...upstreams] };
}

export function toJobSummary({ startedAt, endedAt, ...job }: JobSummaryEntry): ListedJob {
  return { ...job, startedAt: time(startedAt), ...(endedAt !== undefined && { endedAt: time(endedAt) }) };
}

export function toJob({ request, result, ...summary }: JobEntry): Job {
  return { ...toJobSummary(summary), request, ...(result !== undefined && { result }) };
}
