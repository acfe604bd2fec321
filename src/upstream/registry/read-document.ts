import { UpstreamError } from '../error.ts';
import type { FunctionName, ResultOf, Work } from './parsing/functions.ts';
import { ParserError, type Parser } from './parsing/parser.ts';

/**
 * Parses a document of an upstream.
 * @param bytes size of the document
 * @throws UpstreamError `content` if the parser fails on it
 */
export async function readDocument<Name extends FunctionName>(
  upstream: string,
  parser: Parser,
  work: Work<Name>,
  bytes: number,
): Promise<ResultOf<Name>> {
  try {
    return await parser.run(work, bytes);
  } catch (error) {
    if (!(error instanceof ParserError)) throw error;
    const message = `sent a document of ${bytes} bytes that could not be read: ${error.message}`;
    throw new UpstreamError(upstream, 'unavailable', 'content', message, { status: 200, cause: error });
  }
}
