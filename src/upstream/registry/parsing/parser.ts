import { FUNCTIONS, type FunctionName, type ResultOf, type Work } from './functions.ts';

/**
 * Runs the pure functions that read foreign documents. A large document takes seconds, which the thread that serves
 * clients must not spend.
 */
export interface Parser {
  /**
   * @param bytes size of the documents
   * @throws ParserError if the function could not run to its end
   */
  run<Name extends FunctionName>(work: Work<Name>, bytes: number): Promise<ResultOf<Name>>;
}

/** The function gave no result: the document took more memory than one may, or too many wait already. */
export class ParserError extends Error {
  override readonly name = 'ParserError';
}

/** Runs each function at once, in this thread. */
export const inlineParser: Parser = {
  // `async`, so that an exception becomes a rejection.
  run: async (work) => call(work),
};

export function call<Name extends FunctionName>({ name, args }: Work<Name>): ResultOf<Name> {
  // TypeScript cannot see that the arguments are those of the function of that name.
  const work = FUNCTIONS[name] as unknown as (...list: typeof args) => ResultOf<Name>;
  return work(...args);
}
