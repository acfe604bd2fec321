import { expect, test } from 'vitest';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { IndexError } from '../index/error.ts';
import { probe } from './probe.ts';

test('the probe succeeds if the index answers, even if it is empty', async () => {
  const index = await openSqliteIndex(':memory:');
  await expect(probe(index)).resolves.toBeUndefined();
  await index.close();
});

test('the probe fails with the index’s error if the index cannot answer', async () => {
  const failure = new IndexError('busy', 'SQLITE_BUSY');
  await expect(probe({ tag: () => Promise.reject(failure) })).rejects.toBe(failure);
});
