import type * as z from 'zod';
import { OperatorError } from '../operator/error.ts';
import { problem, type ProblemDocument, type ProblemName } from './contract/problem.ts';

/** A request that the API refuses, by the class of the problem. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemDocument;

  constructor(name: ProblemName, detail: string, errors?: ProblemDocument['errors']) {
    super(detail);
    this.problem = problem(name, detail, errors);
  }
}

/** Returns what a client is told of an error: of one that was not foreseen, nothing. */
export function problemOf(error: unknown): ProblemDocument {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof OperatorError) return problem(error.code, error.message);
  return problem('failed', 'internal error');
}

/** Returns the problem of input that a schema refuses: it names each field. */
export function invalidInput(part: 'query' | 'body', { issues }: z.ZodError): ProblemError {
  const errors = issues.flatMap((issue) => {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [''];
    return keys.map((key) => ({
      field: [...issue.path, key].filter((name) => name !== '').join('.') || part,
      message: issue.message,
    }));
  });
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new ProblemError('invalid', detail, errors);
}
