import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './schema.ts';
import { SQL } from '../sql/statements.ts';
import { DIALECT } from './dialect.ts';

describe('the query plan', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database, ':memory:', MIGRATIONS);
  afterAll(() => database.close());

  function plan(sql: string): string[] {
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
    return rows.map(({ detail }) => detail);
  }

  it.each(Object.entries({ ...SQL, ...DIALECT }))('of %s walks through no table and sorts none', (_, sql) => {
    const walks = plan(sql).filter((step) => /^SCAN (?!CONSTANT ROW|capped)/u.test(step));
    expect(walks).toEqual([]);
    const sorts = plan(sql).filter((step) => step.includes('TEMP B-TREE'));
    expect(sorts).toEqual([]);
  });

  it('of a page begins at the page', () => {
    expect(plan(SQL.tags)[0]).toMatch(/SEARCH tags USING PRIMARY KEY \(repository_id=\? AND name>\?\)/u);
    expect(plan(SQL.repositories)[0]).toMatch(/SEARCH r USING .*INDEX repositories_by_path \(path>\?\)/u);
  });

  it('of the least recently used blobs reads them in that order', () => {
    expect(plan(SQL.leastUsed)).toEqual([
      'SEARCH blobs USING INDEX blobs_by_eviction_rank ((eviction_rank,digest)>(?,?))',
    ]);
  });

  it('of a manifest’s edges begins at the page', () => {
    expect(plan(SQL.contained)).toContain('SEARCH e USING PRIMARY KEY (manifest=? AND position>?)');
  });

  it('of the next waiting claim begins at the one before', () => {
    const start = 'SEARCH w USING INDEX waiting_claims_by_upstream (upstream=? AND id<?)';
    expect(plan(SQL.waitingClaim)[0]).toBe(start);
  });

  it('of the question whether a repository’s manifest needs a digest begins at the edges that lead to the digest', () => {
    const needed = plan(SQL.walkBelongings).slice(-2);
    expect(needed[0]).toMatch(/SEARCH e USING INDEX edges_by_digest \(digest=\?\)/u);
    expect(needed[1]).toMatch(/SEARCH p USING .*\(digest=\? AND repository_id=\?\)/u);
  });

  it('would show a walk through a whole table', () => {
    expect(plan('SELECT * FROM tags WHERE name = ?')).toEqual(['SCAN tags']);
  });
});
