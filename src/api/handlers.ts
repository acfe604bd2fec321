import type { JobKinds } from '../operator/jobs/job-kinds.ts';
import type { Exports } from '../operator/export/exports.ts';
import type { Imports } from '../operator/import/imports.ts';
import type { Jobs } from '../operator/jobs/jobs.ts';
import type { Operator } from '../operator/operator.ts';
import type { RouteAnswer, RouteInput, RouteName } from './contract/routes.ts';
import { openApiDocument } from './openapi.ts';
import { ProblemError } from './problem-error.ts';
import { toJob, toJobSummary, toPin, toRepository, toStats, toTag } from './to-contract.ts';

export interface HandlerParts {
  readonly operator: Operator;
  readonly jobs: Jobs<JobKinds>;
  readonly imports: Pick<Imports, 'open' | 'upload' | 'write' | 'abort'>;
  readonly exports: Pick<Exports, 'open'>;
  /** The version of Larder. */
  readonly version: string;
}

/** The routes whose answer is a value. */
type ValueRoute = Exclude<RouteName, 'events' | 'bundle'>;

export type Handlers = {
  readonly [Name in ValueRoute]: (input: RouteInput<Name>) => RouteAnswer<Name> | Promise<RouteAnswer<Name>>;
};

/** Makes the function behind each route: it asks the operator, and puts the answer into the contract's words. */
export function createHandlers({ operator, jobs, imports, version }: HandlerParts): Handlers {
  return {
    stats: async () => toStats(await operator.stats()),
    async repositories({ query }) {
      const rows = await operator.repositories(query);
      return {
        repositories: rows.map(toRepository),
        ...nextOf(rows, query.limit, ({ repository }) => repository),
      };
    },
    async tags({ query: { repository, ...page } }) {
      const rows = await operator.tags(repository, page);
      return { tags: rows.map(toTag), ...nextOf(rows, page.limit, ({ tag }) => tag) };
    },
    async pins({ query }) {
      const rows = await operator.pins(query);
      return { pins: rows.map(toPin), ...nextOf(rows, query.limit, ({ name }) => name) };
    },
    pin: async ({ body }) => ({ pins: [...(await operator.pin(body.reference))] }),
    unpin: async ({ body }) => ({ pins: [...(await operator.unpin(body.reference))] }),
    async jobs({ query: { after, limit } }) {
      const rows = await jobs.list({
        limit,
        after: after === undefined ? undefined : await cursor(jobs, after),
      });
      return { jobs: rows.map(toJobSummary), ...nextOf(rows, limit, ({ id }) => id) };
    },
    startJob: async ({ body }) => toJob(await jobs.start(body.kind, body.request)),
    job: async ({ id }) => toJob(await jobs.get(id)),
    cancelJob: async ({ id }) => toJob(await jobs.cancel(id)),
    openUpload: ({ body }) => imports.open(body.size, body.fingerprint),
    upload: ({ id }) => imports.upload(id),
    writeUpload: ({ id, query, body }) => imports.write(id, query.offset, body),
    abortUpload: ({ id }) => imports.abort(id).then(() => ({})),
    openapi: () => openApiDocument(version),
  };
}

/** A page that is not full is the last one. */
function nextOf<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
): { readonly next?: string } {
  const last = rows.at(-1);
  return last === undefined || rows.length < limit ? {} : { next: keyOf(last) };
}

/** @throws ProblemError for a job that is no longer known: where its page would begin is not known either */
async function cursor(jobs: Jobs<JobKinds>, id: string): ReturnType<Jobs<JobKinds>['get']> {
  return jobs.get(id).catch(() => {
    const message = 'is not the id of a job that is known';
    throw new ProblemError('invalid', `after: ${message}`, [{ field: 'after', message }]);
  });
}
