import { formatReasonPhrase } from '../http/reason-phrase.ts';
import { formatRetryAfter } from '../http/retry-after.ts';
import { escapeControls } from '../text/controls.ts';
import { RegistryError } from '../oci/error.ts';
import type { Overload } from './admission.ts';
import { statusOfError } from './v2/cache-status.ts';
import { withCommonHeaders } from './common-headers.ts';
import { errorAnswer, type ErrorContext } from './v2/error-table.ts';
import { jsonBody, type ReadyReply, type Reply } from './reply.ts';
import type { RequestRecord } from './request/request-record.ts';

/** Renders an error as the distribution spec wants it ("Error Codes"). */
export function errorReply(error: unknown, context: ErrorContext): ReadyReply {
  const { status, code, detail, retryAfterMs, ...answer } = errorAnswer(error, context);
  // The message may quote an upstream, and the client shows it to its user.
  const message = escapeControls(answer.message);
  const body = { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] };
  return {
    status,
    reason: status >= 500 ? formatReasonPhrase(message) : undefined,
    headers: {
      'Content-Type': 'application/json',
      ...(retryAfterMs === undefined ? {} : { 'Retry-After': formatRetryAfter(retryAfterMs) }),
      ...(context.challenge === undefined ? {} : { 'WWW-Authenticate': context.challenge }),
      ...(code === 'UNSUPPORTED' ? { Allow: 'GET, HEAD' } : {}),
    },
    body: jsonBody(body),
  };
}

/** Returns the reply to a client that may not be served now: 429 if it asks for too much itself, else 503. */
export function overloadReply(refusal: Overload, record: RequestRecord): Reply {
  const error =
    refusal === 'client'
      ? new RegistryError('TOOMANYREQUESTS', 'too many requests from this address at the same time')
      : new RegistryError('UNAVAILABLE', 'too many requests at the same time');
  record.requestKind = 'invalid';
  record.outcome = 'error';
  record.error = error;
  const reply = errorReply(error, { kind: undefined, hasFallback: false });
  const soon = { ...reply, headers: { ...reply.headers, 'Retry-After': '1' } };
  return withCommonHeaders(soon, record.id, statusOfError(error));
}
