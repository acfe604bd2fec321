import type { ContentIndex } from '../../src/index/content-index.ts';
import { mapMethods, type AnyMethod } from '../../src/index/map-methods.ts';
import { callersOf } from './callers-of.ts';

/** An index, and its calls that have not ended, for example because they still wait for their turn. */
export interface WatchedIndex {
  readonly index: ContentIndex;
  /** Returns each running call with its caller. */
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
