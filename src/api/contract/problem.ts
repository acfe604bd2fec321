import * as z from 'zod';

/**
 * The classes of problems. Their names never change: clients decide by them. Each has its status, and the words that
 * are the same for all problems of the class (RFC 9457).
 */
export const PROBLEMS = {
  invalid: { status: 400, title: 'The request cannot be read' },
  unauthorized: { status: 401, title: 'Credentials are needed' },
  forbidden: { status: 403, title: 'The request is not allowed here' },
  unknown: { status: 404, title: 'There is no such thing' },
  'no-route': { status: 404, title: 'There is no such path' },
  'wrong-method': { status: 405, title: 'The path has no such method' },
  'too-large': { status: 413, title: 'The body is too large' },
  'wrong-type': { status: 415, title: 'The body has the wrong type' },
  busy: { status: 429, title: 'Too much runs at the same time' },
  failed: { status: 500, title: 'The work failed' },
  unavailable: { status: 503, title: 'The server cannot answer now' },
} as const;

export type ProblemName = keyof typeof PROBLEMS;

export const PROBLEM_TYPE = 'application/problem+json';

const PREFIX = 'urn:larder:problem:';

export const ProblemDocument = z.object({
  /** `urn:larder:problem:` and the name of the class. */
  type: z.string().describe('urn:larder:problem: and the name of the class'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('what is wrong, in words for people'),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .describe('the fields of the request that are wrong'),
});

export type ProblemDocument = z.infer<typeof ProblemDocument>;

/** Returns the problem of a class, with what is wrong in this case. */
export function problem(
  name: ProblemName,
  detail: string,
  errors?: ProblemDocument['errors'],
): ProblemDocument {
  return {
    type: `${PREFIX}${name}`,
    ...PROBLEMS[name],
    detail,
    ...(errors !== undefined && { errors }),
  };
}

/** Returns the name of a problem's class; undefined for one that this version does not know. */
export function problemName({ type }: ProblemDocument): ProblemName | undefined {
  const name = type.slice(PREFIX.length);
  return type.startsWith(PREFIX) && Object.hasOwn(PROBLEMS, name) ? (name as ProblemName) : undefined;
}
