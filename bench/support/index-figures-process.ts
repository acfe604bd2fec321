/**
 * `node index-figures-process.ts ROOT INDEX-FILE TAGS`: queries an index that fill-index-process.ts has filled, by the
 * code of the sources at ROOT, and prints the median duration of each query by its name, in milliseconds, as JSON.
 */
import { join } from 'node:path';
import type { ContentIndex } from '../../src/index/content-index.ts';
import type { RepositoryKey } from '../../src/index/repository-key.ts';
import type * as sqlite from '../../src/index/sqlite/sqlite-index.ts';
import type { RepositoryName } from '../../src/oci/repository-name.ts';
import type { Tag } from '../../src/oci/tag.ts';
import { filledRepository, filledTag } from './filled-index.ts';
import { UPSTREAM_NAME } from './larder.ts';
import { median } from './statistics.ts';

const [root = '', file = '', tags] = process.argv.slice(2);
const { openSqliteIndex } = (await import(join(root, 'src/index/sqlite/sqlite-index.ts'))) as typeof sqlite;
const index = await openSqliteIndex(file);
const limit = 100;

const figures = {
  lookup: await timeEach(2000, async (number) => lookUp(index, number)),
  'tags page': await timeEach(200, async (number) => index.tags(keyOf(number), { limit })),
  'catalog page': await timeEach(200, async (number) =>
    index.repositories({ after: `${UPSTREAM_NAME}/${filledRepository(number)}`, limit }),
  ),
  // A step deletes the blobs that it evicts, so each step evicts other ones.
  'eviction step': await timeEach(20, async () => evict(index)),
};
await index.close();
process.stdout.write(JSON.stringify(figures));

/** @param work called with the numbers of tags, spread over all of them */
async function timeEach(times: number, work: (number: number) => Promise<unknown>): Promise<number> {
  const durations: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const number = (i * 7919) % Number(tags);
    const startedAt = performance.now();
    await work(number);
    durations.push(performance.now() - startedAt);
  }
  return median(durations);
}

/** Does the lookups for a manifest by tag that is not in memory. */
async function lookUp(index: ContentIndex, number: number): Promise<void> {
  const key = keyOf(number);
  const entry = await index.tag(key, filledTag(number) as Tag);
  if (entry === undefined) throw new Error(`no tag ${number}`);
  await index.manifest(entry.digest);
  if (!(await index.belongs(key, entry.digest))) throw new Error(`the manifest of tag ${number} is lost`);
}

async function evict(index: ContentIndex): Promise<void> {
  for (const { digest } of await index.leastUsed({ limit })) await index.deleteBlob(digest);
}

function keyOf(tag: number): RepositoryKey {
  return { registry: UPSTREAM_NAME, repository: filledRepository(tag) as RepositoryName };
}
