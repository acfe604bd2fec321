import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { JobProgress } from '../../index/job-index.ts';
import { digestOf } from '../../oci/digest.ts';
import type { VerifyOptions, VerifyReport } from '../../upkeep/verify.ts';
import type { JobContext, JobWork } from './job-work.ts';
import { verifyJob, type VerifyRequest, type VerifyResult } from './verify-job.ts';

const SOUND: VerifyReport = { steps: [], totals: {}, isSound: true };
const digest = digestOf('a');

describe('a verification', () => {
  let notes: Map<string, string>;
  let clock: ManualClock;
  let reports: JobProgress[];
  let context: JobContext;

  beforeEach(() => {
    notes = new Map();
    clock = new ManualClock();
    reports = [];
    context = { signal: new AbortController().signal, report: (said) => reports.push(said) };
  });

  function work(
    verify: (options: VerifyOptions) => Promise<VerifyReport>,
  ): JobWork<VerifyRequest, VerifyResult> {
    const index = {
      note: async (name: string) => notes.get(name),
      putNote: async (name: string, text: string) => void notes.set(name, text),
    };
    return verifyJob({ upkeep: { verify }, index, clock });
  }

  it('reports the bytes that it has hashed, and collects what it finds', async () => {
    const verify = work(async ({ onProgress, repair, bytesPerSecond }) => {
      expect([repair, bytesPerSecond]).toEqual([true, 5]);
      onProgress?.({ kind: 'step', step: 'hash blobs', durationMs: 1, stats: {} });
      onProgress?.({ kind: 'hashed', blobs: 2, bytes: 10, ofBytes: 20 });
      onProgress?.({ kind: 'quarantined', digest, reason: 'bad' });
      return SOUND;
    });
    const result = await verify({ repair: true, bytesPerSecond: 5 }, context);
    expect(reports).toEqual([{ done: 10, total: 20, unit: 'bytes', note: '2 blobs' }]);
    const findings = [{ kind: 'quarantined', digest, reason: 'bad' }];
    expect(result).toEqual({ ...SOUND, findings, moreFindings: 0 });
  });

  it('keeps a bounded number of findings', async () => {
    const verify = work(async ({ onProgress }) => {
      for (let n = 0; n < 1005; n += 1) onProgress?.({ kind: 'failed', digest, reason: String(n) });
      return SOUND;
    });
    const { findings, moreFindings } = await verify({ repair: false }, context);
    expect([findings.length, moreFindings]).toEqual([1000, 5]);
  });

  /** Runs a verification that finds something, comes to a digest and is broken off. */
  async function breakOff(repair: boolean): Promise<void> {
    const verify = work(async ({ onProgress, onPosition }) => {
      onProgress?.({ kind: 'quarantined', digest, reason: 'bad' });
      await onPosition?.(digest);
      throw new Error('interrupted');
    });
    await expect(verify({ repair }, context)).rejects.toThrow('interrupted');
  }

  /** @returns where the next verification begins, and its result */
  async function again(repair: boolean): Promise<readonly [VerifyOptions['after'], VerifyResult]> {
    let began: VerifyOptions['after'];
    const verify = work(async ({ after }) => {
      began = after;
      return SOUND;
    });
    const result = await verify({ repair }, context);
    return [began, result];
  }

  it.each([
    [true, true],
    [false, false],
  ])('that was broken off goes on, with what it had found (repair: %s)', async (repair, isSound) => {
    await breakOff(repair);
    clock.advance(24 * 3_600_000);
    const [after, result] = await again(repair);
    expect(after).toBe(digest);
    expect(result).toMatchObject({ isSound, findings: [{ kind: 'quarantined', digest }], moreFindings: 0 });
    expect((await again(repair))[0]).toBeUndefined();
  });

  it.each(['', '{', '{"after":"x","at":0,"repair":false}'])(
    'begins anew where its note is %j',
    async (note) => {
      notes.set('verify-job', note);
      expect((await again(false))[0]).toBeUndefined();
    },
  );

  it('begins anew if it is asked for something else, and after a day', async () => {
    await breakOff(false);
    expect((await again(true))[0]).toBeUndefined();
    await breakOff(false);
    clock.advance(24 * 3_600_000 + 1);
    expect(await again(false)).toMatchObject([undefined, { isSound: true, findings: [] }]);
  });
});
