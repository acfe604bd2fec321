import type { ContentIndex } from '../../src/index/content-index.ts';
import { callersOf } from './callers-of.ts';

/** An index, and what was asked of it and is not over: it has no turn yet, say. */
export interface WatchedIndex {
  readonly index: ContentIndex;
  /** Each call that runs, with who made it. */
  readonly running: () => readonly string[];
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

export function watchIndex(inner: ContentIndex): WatchedIndex {
  const running = new Set<() => string>();
  const watched =
    (name: string, method: Method): Method =>
    async (...args) => {
      const calledAt = new Error();
      const call = (): string => `index.${name}, called by ${callersOf(calledAt)}`;
      running.add(call);
      try {
        return await method(...args);
      } finally {
        running.delete(call);
      }
    };
  const methods = Object.entries(inner as unknown as Record<string, Method>);
  return {
    index: Object.fromEntries(methods.map(([name, method]) => [name, watched(name, method)])) as never,
    running: () => [...running].map((call) => call()),
  };
}
