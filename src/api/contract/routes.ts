import * as z from 'zod';
import { PinNames, Pins, Repositories, Stats, Tags } from './content.ts';
import { Job, Jobs, StartJob } from './jobs.ts';
import { PageQuery } from './page.ts';
import { BundleQuery, OpenUpload, Upload, UploadOffset } from './uploads.ts';
import { Reference } from './values.ts';

/** Where the API is. */
export const BASE = '/api/v1';

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Behind `BASE`. A segment in braces stands for any text. */
  readonly path: string;
  /** What a rule must allow; the control socket's owner may do everything. */
  readonly needs: 'read' | 'admin';
  readonly summary: string;
  readonly status: 200 | 202;
  readonly query?: z.ZodObject;
  /** `bytes`: any bytes, as application/octet-stream. */
  readonly body?: z.ZodType | 'bytes';
  /** `events`: a stream of server-sent events. `bytes`: any bytes, or a range of them. */
  readonly answer: z.ZodType | 'events' | 'bytes';
}

const NO_QUERY = z.strictObject({});
const Referenced = z.strictObject({ reference: Reference });

const READ = { method: 'GET', needs: 'read', status: 200 } as const;
const CHANGE = { method: 'POST', needs: 'admin', status: 200 } as const;

/** Every route of the API, by the name of its operation. */
export const ROUTES = {
  stats: { ...READ, path: '/stats', summary: 'how much is cached', query: NO_QUERY, answer: Stats },
  repositories: {
    ...READ,
    path: '/repositories',
    summary: 'the repositories that are cached, in ASCII order',
    query: PageQuery,
    answer: Repositories,
  },
  tags: {
    ...READ,
    path: '/tags',
    summary: 'the cached tags of a repository, in ASCII order',
    query: PageQuery.extend({ repository: Reference }),
    answer: Tags,
  },
  pins: {
    ...READ,
    path: '/pins',
    summary: 'what is kept from eviction, in ASCII order',
    query: PageQuery,
    answer: Pins,
  },
  pin: {
    ...CHANGE,
    path: '/pins',
    summary: 'keep from eviction: a tag with what it stands for, a digest, all tags of a repository',
    body: Referenced,
    answer: PinNames,
  },
  unpin: {
    ...CHANGE,
    path: '/pins/end',
    summary: 'end the pins of a reference',
    body: Referenced,
    answer: PinNames,
  },
  jobs: {
    ...READ,
    path: '/jobs',
    summary: 'the jobs that run and the last that have ended, the latest first',
    query: PageQuery,
    answer: Jobs,
  },
  startJob: { ...CHANGE, path: '/jobs', summary: 'start a job', status: 202, body: StartJob, answer: Job },
  job: { ...READ, path: '/jobs/{id}', summary: 'one job, with its request and its result', answer: Job },
  cancelJob: {
    ...CHANGE,
    path: '/jobs/{id}/cancel',
    summary: 'tell a job to end; one that has ended stays as it is',
    status: 202,
    answer: Job,
  },
  openUpload: {
    ...CHANGE,
    path: '/uploads',
    summary: 'open an upload of a bundle, or find the one that was begun before',
    body: OpenUpload,
    answer: Upload,
  },
  upload: { ...READ, path: '/uploads/{id}', summary: 'how much of an upload is here', answer: Upload },
  writeUpload: {
    ...CHANGE,
    method: 'PATCH',
    path: '/uploads/{id}',
    summary: 'write bytes at the end of an upload; what came of a piece that broke off stays',
    query: UploadOffset,
    body: 'bytes',
    answer: Upload,
  },
  abortUpload: {
    ...CHANGE,
    method: 'DELETE',
    path: '/uploads/{id}',
    summary: 'end an upload without importing it',
    answer: z.object({}),
  },
  bundle: {
    ...READ,
    needs: 'admin',
    path: '/bundle',
    summary: 'the bytes of an exported bundle, as a tar archive; takes `Range` and `If-Range`',
    query: BundleQuery,
    answer: 'bytes',
  },
  events: {
    ...READ,
    path: '/events',
    summary: 'a stream of what happens, from now on or after `Last-Event-ID`',
    query: NO_QUERY,
    answer: 'events',
  },
  openapi: {
    ...READ,
    path: '/openapi.json',
    summary: 'this API as an OpenAPI 3.1 document',
    query: NO_QUERY,
    answer: z.looseObject({ openapi: z.string() }),
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;

export type RouteName = keyof typeof ROUTES;

type Parsed<Name extends RouteName, Part extends 'query' | 'body'> = (typeof ROUTES)[Name] extends {
  readonly [P in Part]: infer Schema extends z.ZodType;
}
  ? z.output<Schema>
  : (typeof ROUTES)[Name] extends { readonly [P in Part]: 'bytes' }
    ? AsyncIterable<Uint8Array>
    : undefined;

/** What a route's handler gets: everything of the request, as its schemas have read it. */
export interface RouteInput<Name extends RouteName> {
  readonly query: Parsed<Name, 'query'>;
  readonly body: Parsed<Name, 'body'>;
  /** The text of the path's segment `{id}`; empty if it has none. */
  readonly id: string;
}

/** What a route answers. */
export type RouteAnswer<Name extends RouteName> = (typeof ROUTES)[Name]['answer'] extends z.ZodType
  ? z.output<(typeof ROUTES)[Name]['answer']>
  : never;
