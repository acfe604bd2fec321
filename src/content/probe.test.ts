import { expect, test } from 'vitest';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { IndexError } from '../index/error.ts';
import { probe } from './probe.ts';

test('an index that answers is well, though it has nothing', async () => {
  const index = await openSqliteIndex(':memory:');
  await expect(probe(index)).resolves.toBeUndefined();
  await index.close();
});

test('an index that cannot answer is not, and says why', async () => {
  const failure = new IndexError('busy', 'SQLITE_BUSY');
  await expect(probe({ tag: () => Promise.reject(failure) })).rejects.toBe(failure);
});
