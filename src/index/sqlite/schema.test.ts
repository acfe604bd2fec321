import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './schema.ts';

it('an index of version 1 learns which of its blobs are manifests', () => {
  using database = new DatabaseSync(':memory:');
  migrate(database, 'test', MIGRATIONS.slice(0, 1));
  database.exec(`
    INSERT INTO blobs (digest, size, used_at) VALUES (x'01', 1, 5), (x'02', 1, 5), (x'03', 1, 5);
    INSERT INTO manifests (digest, descriptor) VALUES (x'02', '{}'), (x'03', '{}');
    INSERT INTO edges (manifest, position, role, digest, size, media_type) VALUES
      (x'02', 0, 'layer', x'01', 1, 'text/plain'), (x'03', 0, 'manifest', x'02', 1, 'text/plain');`);
  migrate(database, 'test', MIGRATIONS);
  const ranks = database.prepare('SELECT tier, eviction_rank AS rank FROM blobs ORDER BY digest').all();
  expect(ranks).toEqual([
    { tier: 0, rank: 5 },
    { tier: 1, rank: 3_600_005 },
    { tier: 2, rank: 7_200_005 },
  ]);
});
