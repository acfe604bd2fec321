import { expect } from 'vitest';
import type { ErrorCode } from '../../src/oci/error.ts';
import type { ReceivedAnswer } from '../support/http-get.ts';
import type { Cell } from './cell.ts';
import type { Question } from './question.ts';
import type { Row } from './row.ts';
import { REGISTRY } from './world.ts';

/** The fields of a cell that the answer alone tells. */
export type Told = Pick<Cell, 'status' | 'code' | 'isCut' | 'isStale' | 'isWrong' | 'retryAfter'>;

/**
 * Reads an answer. Also asserts that a whole object is right, that a cut object is right up to the cut, and that every
 * error and Warning tells which upstream failed, and how.
 */
export function told(answer: ReceivedAnswer, question: Question, row: Row): Told {
  const { status, headers } = answer;
  const { warning, 'retry-after': retryAfter } = headers;
  if (warning !== undefined) expectNamed(warning, row);
  return {
    status,
    ...(warning !== undefined && { isStale: true }),
    ...(retryAfter !== undefined && { retryAfter: Number(retryAfter) }),
    ...(status >= 400 ? { code: codeOf(answer, row) } : bytesTold(answer, question, row)),
  };
}

/** Whether the answer is all that the client asked for, right and without a Warning. */
export function isRight({ status, headers, body, complete }: ReceivedAnswer, question: Question): boolean {
  const { right, rightPart } = question;
  const isStatus = status === (rightPart === undefined ? 200 : 206);
  return isStatus && headers.warning === undefined && complete && body.equals(rightPart ?? right);
}

function codeOf({ body }: ReceivedAnswer, row: Row): ErrorCode {
  const { errors } = JSON.parse(body.toString()) as { errors: { code: ErrorCode; message: string }[] };
  const [error] = errors;
  if (error === undefined) throw new Error('an error document without an error');
  expectNamed(error.message, row);
  return error.code;
}

function expectNamed(message: string, { says }: Row): void {
  expect(message).toContain(`${REGISTRY}: `);
  if (!says.some((how) => message.includes(how))) expect(message).toContain(says.join(' | '));
}

/** Reads the body. If the client asked for a part, the server may send the whole (RFC 9110 §14.2). */
function bytesTold(
  { status, body, complete }: ReceivedAnswer,
  { right, rightPart }: Question,
  { isForeign }: Row,
): Pick<Cell, 'isCut' | 'isWrong'> {
  const wanted = status === 206 ? (rightPart ?? right) : right;
  const isRight = body.equals(wanted.subarray(0, body.length));
  if (!complete) {
    expect(isRight || isForeign, 'what was sent before the cut is right').toBe(true);
    return { isCut: true };
  }
  expect(body).toHaveLength(wanted.length);
  return isRight ? {} : { isWrong: true };
}
