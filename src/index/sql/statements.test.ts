import { describe, expect, it } from 'vitest';
import { BELONGING_SQL } from './belonging-sql.ts';
import { BLOB_SQL } from './blob-sql.ts';
import { GONE_SQL } from './gone-sql.ts';
import { JOB_SQL } from './job-sql.ts';
import { LEASE_SQL } from './lease-sql.ts';
import { MANIFEST_SQL } from './manifest-sql.ts';
import { PIN_SQL } from './pin-sql.ts';
import { REPOSITORY_SQL } from './repository-sql.ts';
import { SQL } from './statements.ts';
import { SURVEY_SQL } from './survey-sql.ts';
import { TAG_SQL } from './tag-sql.ts';

/** Words that only SQLite understands. A statement that needs one belongs into its engine's dialect. */
const OF_SQLITE =
  /\bOR (?:REPLACE|IGNORE|ABORT)\b|\b(?:rowid|GLOB|IFNULL|IIF|PRAGMA|INDEXED)\b|\bjson_|\bx'/iu;

describe('the statements', () => {
  it.each(Object.entries(SQL))('%s is in words that engines share', (_, sql) => {
    expect(sql).not.toMatch(OF_SQLITE);
  });

  it('have different names', () => {
    const parts = [
      REPOSITORY_SQL,
      TAG_SQL,
      MANIFEST_SQL,
      BLOB_SQL,
      PIN_SQL,
      LEASE_SQL,
      BELONGING_SQL,
      SURVEY_SQL,
      GONE_SQL,
      JOB_SQL,
    ];
    const names = parts.flatMap((part) => Object.keys(part));
    expect(names).toHaveLength(Object.keys(SQL).length);
  });
});
