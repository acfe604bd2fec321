import { setTimeout as wait } from 'node:timers/promises';
import { OperatorError, type OperatorErrorCode } from '../../operator/error.ts';
import { JOB_KINDS, type JobKind, type JobRequest, type JobResult } from '../contract/job-kinds.ts';
import type { Job, ListedJob } from '../contract/jobs.ts';
import type { ApiClient } from './api-client.ts';

/** Pause before a stream of events that has ended is opened again. */
const AGAIN_MS = 1_000;

/** Called with a job whenever it has come further. */
export type OnJob = (job: ListedJob) => void;

/**
 * Starts a job and waits for its result.
 * @param onJob called with the job when it has started, whenever it has come further, and when it has ended
 * @throws OperatorError; if the job failed or was ended, with its reason
 */
export async function runJob<Kind extends JobKind>(
  client: ApiClient,
  kind: Kind,
  request: JobRequest<Kind>,
  onJob: OnJob = () => {},
): Promise<JobResult<Kind>> {
  const started = await client.call('startJob', { body: { kind, request } as never });
  onJob(started);
  const ended = await followJob(client, started.id, onJob);
  onJob(ended);
  return resultOf(kind, ended);
}

/** Waits until the job has ended. @returns the job. @throws OperatorError */
export async function followJob(client: ApiClient, id: string, onJob: OnJob): Promise<Job> {
  for (;;) {
    const ending = new AbortController();
    const job = await listen(client, id, onJob, ending.signal).finally(() => ending.abort());
    if (job !== undefined) return job;
    await wait(AGAIN_MS);
  }
}

/** Follows a job as long as the server keeps the stream open. @returns the job if it has ended */
async function listen(
  client: ApiClient,
  id: string,
  onJob: OnJob,
  signal: AbortSignal,
): Promise<Job | undefined> {
  // The stream is opened before the job is read: nothing can happen between the two.
  const events = await client.events(signal);
  const job = await client.call('job', { id });
  if (job.state !== 'running') return job;
  for await (const { event, data } of events) {
    if (event !== 'job' || data.id !== id) continue;
    if (data.state !== 'running') return client.call('job', { id });
    onJob(data);
  }
  return undefined;
}

function resultOf<Kind extends JobKind>(kind: Kind, { state, error, result }: Job): JobResult<Kind> {
  if (error !== undefined) throw new OperatorError(codeOf(error.code), error.message);
  if (state !== 'done') throw new OperatorError('failed', `the job was ${state}`);
  return JOB_KINDS[kind].result.parse(result) as JobResult<Kind>;
}

function codeOf(code: string): OperatorErrorCode {
  return code === 'invalid' || code === 'unknown' || code === 'busy' ? code : 'failed';
}
