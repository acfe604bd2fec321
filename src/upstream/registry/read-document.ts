import { UpstreamError } from '../error.ts';
import type { FunctionName, ResultOf, Work } from './parsing/functions.ts';
import { ParserError, type Parser } from './parsing/parser.ts';

/**
 * What a document of an upstream says.
 * @param bytes how large it is
 * @throws UpstreamError `content` where it cannot be read at all, whatever it says
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
