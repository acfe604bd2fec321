import type { Upkeep } from '../../upkeep/upkeep.ts';
import type { JobWork } from './job-work.ts';
import { verifyJob, type VerifyResult } from './verify-job.ts';
import type { VerifyRequest } from './verify-job.ts';

/** The kinds of jobs: a line here, and a line in `jobKinds`. */
export interface JobKinds {
  readonly verify: JobWork<VerifyRequest, VerifyResult>;
}

/** What the work of all kinds needs. */
export interface JobParts {
  readonly upkeep: Pick<Upkeep, 'verify'>;
}

export function jobKinds({ upkeep }: JobParts): JobKinds {
  return {
    verify: verifyJob(upkeep),
  };
}
