import type { ContentIndex } from '../../src/index/content-index.ts';
import { mapMethods, type AnyMethod } from '../../src/index/map-methods.ts';
import { callersOf } from './callers-of.ts';

/** An index, and what was asked of it and is not over: it has no turn yet, say. */
export interface WatchedIndex {
  readonly index: ContentIndex;
  /** Each call that runs, with who made it. */
  readonly running: () => readonly string[];
}

export function watchIndex(inner: ContentIndex): WatchedIndex {
  const running = new Set<() => string>();
  const watched =
    (method: AnyMethod, name: string): AnyMethod =>
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
  return {
    index: mapMethods(inner, watched),
    running: () => [...running].map((call) => call()),
  };
}
