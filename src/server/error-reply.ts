import { formatRetryAfter } from '../http/retry-after.ts';
import { errorAnswer, type ErrorContext } from './error-table.ts';
import { jsonBody, type Reply } from './reply.ts';

/** Renders an error as the distribution spec wants it ("Error Codes"). */
export function errorReply(error: unknown, context: ErrorContext): Reply {
  const { status, code, message, detail, retryAfterMs } = errorAnswer(error, context);
  const body = { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] };
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      ...(retryAfterMs === undefined ? {} : { 'Retry-After': formatRetryAfter(retryAfterMs) }),
      ...(code === 'UNSUPPORTED' ? { Allow: 'GET, HEAD' } : {}),
    },
    body: jsonBody(body),
  };
}
