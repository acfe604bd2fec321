import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { collect, put, readThrough } from '../store-under-test.contract.ts';
import { openFileStore } from './file-store.ts';

/** Commits blob after blob, several at a time, and prints each. */
const COMMIT_FOR_EVER = `
  const { openFileStore } = await import(process.argv[1]);
  const { digestOf } = await import(process.argv[2]);
  const store = await openFileStore({ directory: process.argv[3] });
  async function commitForEver(name) {
    for (let number = 0; ; number++) {
      const bytes = Buffer.alloc(100_000 + number, name + number);
      const ingest = await store.ingest({ digest: digestOf(bytes), size: bytes.length });
      await ingest.write([bytes.subarray(0, 50_000)]);
      await ingest.write([bytes.subarray(50_000)]);
      console.log((await ingest.commit()).digest);
    }
  }
  await Promise.all(['a', 'b', 'c', 'd'].map(commitForEver));`;

/** Runs that program until `count` blobs were committed, then kills it. */
async function commitAndCrash(directory: string, count: number): Promise<Digest[]> {
  const modules = ['file-store.ts', '../../oci/digest.ts'].map((path) => new URL(path, import.meta.url).href);
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', COMMIT_FOR_EVER, ...modules, directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exit = once(child, 'exit');
  const committed: Digest[] = [];
  for await (const line of createInterface(child.stdout)) {
    committed.push(line as Digest);
    if (committed.length === count) child.kill('SIGKILL');
  }
  await exit;
  return committed;
}

it.each([1, 10, 37])('a crash after %i commits leaves nothing but right bytes', async (count) => {
  await using directory = await temporaryDirectory('store');
  const committed = await commitAndCrash(directory.path, count);
  expect(committed.length).toBeGreaterThanOrEqual(count);

  const store = await openFileStore({ directory: directory.path });
  const leftBehind = await readdir(join(directory.path, 'ingest'));
  expect(await store.sweepIngest()).toBe(leftBehind.length);
  const stored = await collect(store.list());
  expect(stored.map(({ digest }) => digest)).toEqual(expect.arrayContaining(committed));
  for (const { digest } of stored) {
    const reader = (await store.open(digest))!;
    expect(digestOf(await readThrough(reader, 64 * 1024))).toBe(digest);
    await reader.close();
  }
  await put(store, Buffer.from('and on it goes'));
});
