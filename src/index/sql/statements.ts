import { BELONGING_SQL, type BelongingRows } from './belonging-sql.ts';
import { BLOB_SQL, type BlobRows } from './blob-sql.ts';
import { GONE_SQL, type GoneRows } from './gone-sql.ts';
import { JOB_SQL, type JobRows } from './job-sql.ts';
import { LEASE_SQL, type LeaseRows } from './lease-sql.ts';
import { MANIFEST_SQL, type ManifestRows } from './manifest-sql.ts';
import { PIN_SQL, type PinRows } from './pin-sql.ts';
import { REPOSITORY_SQL, type RepositoryRows } from './repository-sql.ts';
import { SURVEY_SQL, type SurveyRows } from './survey-sql.ts';
import { TAG_SQL, type TagRows } from './tag-sql.ts';

/**
 * Every statement that engines share, in the common subset of SQLite and PostgreSQL (whose driver would number the
 * parameters, and give 1 and 0 for true and false). None of them may walk through a whole table.
 */
export const SQL = {
  ...REPOSITORY_SQL,
  ...TAG_SQL,
  ...MANIFEST_SQL,
  ...BLOB_SQL,
  ...PIN_SQL,
  ...LEASE_SQL,
  ...BELONGING_SQL,
  ...SURVEY_SQL,
  ...GONE_SQL,
  ...JOB_SQL,
} as const;

/** Statements that each engine writes in its own dialect; they return no rows. */
export type DialectName = 'addWaitingEdges' | 'addWaitingRepositories';

export type StatementName = keyof typeof SQL | DialectName;

/** The rows of the statements that return rows. */
export type Rows = RepositoryRows &
  TagRows &
  ManifestRows &
  BlobRows &
  PinRows &
  LeaseRows &
  BelongingRows &
  SurveyRows &
  GoneRows &
  JobRows;
