/** Setup of each measured test file: notes which sites each of its tests runs. */
import { afterAll, beforeEach, type TaskMeta } from 'vitest';
import { HIT } from './probe.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** The sites that each test of a file has run, by its id; by `''`, the sites that were run before any test. */
    hits?: Record<string, number[]>;
  }
}

const sites = new Map<string, Set<number>>([['', new Set()]]);
let running = sites.get('');

Object.assign(globalThis, { [HIT]: (site: number) => running?.add(site) });

let meta: TaskMeta | undefined;

beforeEach(({ task }) => {
  running = new Set();
  sites.set(task.id, running);
  meta = task.file.meta;
});

afterAll(() => {
  if (meta !== undefined) meta.hits = Object.fromEntries([...sites].map(([id, hits]) => [id, [...hits]]));
});
