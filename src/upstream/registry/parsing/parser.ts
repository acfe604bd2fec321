import { FUNCTIONS, type FunctionName, type ResultOf, type Work } from './functions.ts';

/**
 * Runs the pure functions that read foreign documents. A large document takes seconds of a thread: that must not be
 * the one that serves.
 */
export interface Parser {
  /**
   * @param bytes how large the documents are
   * @throws ParserError where the function could not be run to its end
   */
  run<Name extends FunctionName>(work: Work<Name>, bytes: number): Promise<ResultOf<Name>>;
}

/** It has not come to a result: it took more memory than a document may, or too many wait already. */
export class ParserError extends Error {
  override readonly name = 'ParserError';
}

/** Runs each at once, in this thread. */
export const inlineParser: Parser = {
  // So that what is thrown becomes a rejection.
  run: async (work) => call(work),
};

export function call<Name extends FunctionName>({ name, args }: Work<Name>): ResultOf<Name> {
  // What TypeScript cannot see: the arguments are those of the function of that name.
  const work = FUNCTIONS[name] as unknown as (...given: typeof args) => ResultOf<Name>;
  return work(...args);
}
