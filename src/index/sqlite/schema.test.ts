import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { DEBIAN, digest, LATEST } from '../content.contract.ts';
import { digestToBytes } from '../sql/digest-bytes.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './schema.ts';
import { openSqliteIndex } from './sqlite-index.ts';

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

it('an index of version 3 keeps what it knew of a tag, and the new columns are unknown', async () => {
  await using directory = await temporaryDirectory('index');
  const path = join(directory.path, 'index.db');
  const database = new DatabaseSync(path);
  migrate(database, path, MIGRATIONS.slice(0, 3));
  database.exec(
    "INSERT INTO repositories VALUES (1, 'docker.io', 'library/debian', 'docker.io/library/debian')",
  );
  database.prepare("INSERT INTO tags VALUES (1, 'latest', ?, 9)").run(digestToBytes(digest('b')));
  database.prepare("INSERT INTO tag_history VALUES (1, 1, 'latest', ?, 5)").run(digestToBytes(digest('a')));
  database.close();

  const index = await openSqliteIndex(path);
  const unknown = { since: undefined, seen: undefined };
  expect(await index.tagHistory(DEBIAN, LATEST)).toEqual([
    { digest: digest('b'), ...unknown, checkedAt: 9, until: undefined, ended: undefined },
    { digest: digest('a'), ...unknown, checkedAt: undefined, until: 5, ended: undefined },
  ]);
  await index.putTag(DEBIAN, LATEST, { digest: digest('b'), checkedAt: 11 });
  await index.putTag(DEBIAN, LATEST, { digest: digest('c'), checkedAt: 12 });
  expect((await index.tagHistory(DEBIAN, LATEST)).slice(0, 2)).toEqual([
    { digest: digest('c'), since: 12, seen: 'moved', checkedAt: 12, until: undefined, ended: undefined },
    { digest: digest('b'), ...unknown, checkedAt: 11, until: 12, ended: 'moved' },
  ]);
  await index.close();
});

it('an index of version 4 turns its belongings into claims, and lets those wait that can be confirmed', () => {
  using database = new DatabaseSync(':memory:');
  migrate(database, 'test', MIGRATIONS.slice(0, 4));
  database.exec(`
    INSERT INTO repositories (id, upstream, name, path) VALUES
      (1, 'e.test', 'one', 'e.test/one'), (2, 'e.test', 'two', 'e.test/two'), (3, 'g.test', 'one', 'g.test/one');
    INSERT INTO blobs (digest, size, used_at) VALUES (x'01', 1, 5), (x'02', 1, 9), (x'03', 1, 7), (x'05', 1, 8);
    INSERT INTO manifests (digest, descriptor) VALUES (x'02', '{"mediaType":"a/b"}'), (x'03', 'damaged');
    INSERT INTO recovered (digest) VALUES (x'05');
    INSERT INTO belongings (repository_id, digest) VALUES
      (1, x'01'), (3, x'01'), (1, x'02'), (2, x'02'), (1, x'03'), (1, x'04'), (1, x'05');`);
  migrate(database, 'test', MIGRATIONS);
  const all = (sql: string): unknown[] =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  expect(all('SELECT DISTINCT source FROM belongings')).toEqual([[0]]);
  expect(all('SELECT hex(digest), upstream, media_type FROM origins ORDER BY digest')).toEqual([
    ['02', 'e.test', 'a/b'],
    ['03', 'e.test', null],
  ]);
  expect(all('SELECT hex(digest), repository_id FROM waiting_claims ORDER BY id DESC')).toEqual([
    ['02', 2],
    ['02', 1],
    ['03', 1],
  ]);
});
