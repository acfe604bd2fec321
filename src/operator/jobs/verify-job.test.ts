import { expect, it } from 'vitest';
import type { JobProgress } from '../../index/job-index.ts';
import { digestOf } from '../../oci/digest.ts';
import type { VerifyOptions, VerifyReport } from '../../upkeep/verify.ts';
import { verifyJob } from './verify-job.ts';

const REPORT: VerifyReport = { steps: [], totals: {}, isSound: false };
const digest = digestOf('a');
const { signal } = new AbortController();

it('a verification reports the bytes that it has hashed, and collects what it finds', async () => {
  const reports: JobProgress[] = [];
  const work = verifyJob({
    async verify({ onProgress, repair, bytesPerSecond }: VerifyOptions) {
      expect([repair, bytesPerSecond]).toEqual([true, 5]);
      onProgress?.({ kind: 'step', step: 'hash blobs', durationMs: 1, stats: {} });
      onProgress?.({ kind: 'hashed', blobs: 2, bytes: 10, ofBytes: 20 });
      onProgress?.({ kind: 'quarantined', digest, reason: 'bad' });
      return REPORT;
    },
  });
  const result = await work(
    { repair: true, bytesPerSecond: 5 },
    { signal, report: (said) => reports.push(said) },
  );
  expect(reports).toEqual([{ done: 10, total: 20, unit: 'bytes', note: '2 blobs' }]);
  const findings = [{ kind: 'quarantined', digest, reason: 'bad' }];
  expect(result).toEqual({ ...REPORT, findings, moreFindings: 0 });
});

it('the findings of a verification are bounded', async () => {
  const work = verifyJob({
    async verify({ onProgress }: VerifyOptions) {
      for (let n = 0; n < 1005; n += 1) onProgress?.({ kind: 'failed', digest, reason: String(n) });
      return REPORT;
    },
  });
  const { findings, moreFindings } = await work({ repair: false }, { signal, report: () => {} });
  expect([findings.length, moreFindings]).toEqual([1000, 5]);
});
