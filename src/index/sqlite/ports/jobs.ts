import type { JobIndex } from '../../job-index.ts';
import { toCursorValues, toJobEntry, toJobSummary, toJobValues } from '../../sql/job-sql.ts';
import type { Connection } from '../connection.ts';

/** Creates the port for jobs. */
export function createJobs(connection: Connection): JobIndex {
  return {
    async putJob(job) {
      connection.run('putJob', ...toJobValues(job));
    },
    async job(id) {
      const row = connection.get('job', id);
      return row && toJobEntry(row);
    },
    async jobs({ after, limit }) {
      return connection.all('jobs', ...toCursorValues(after), Math.max(0, limit)).map(toJobSummary);
    },
    async interruptJobs() {
      connection.run('interruptJobs');
    },
    async trimJobs(kept) {
      const oldest = connection.get('oldestKeptJob', Number.MAX_SAFE_INTEGER, Math.max(0, kept - 1));
      if (oldest !== undefined) connection.run('deleteJobsBefore', oldest.started_at);
    },
  };
}
