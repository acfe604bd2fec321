import type { OutgoingHttpHeaders } from 'node:http';
import { formatWarnings } from '../../http/warning.ts';
import { outcomeName } from '../../repository/outcome.ts';
import { asciiLower } from '../../text/ascii.ts';
import { privacyOf } from '../cache-privacy.ts';
import { requestHeaders, withCommonHeaders } from '../common-headers.ts';
import type { FlatReply, Reply } from '../reply.ts';
import type { RequestRecord } from '../request/request-record.ts';
import type { Answer, PreparedAnswer } from './answer.ts';
import { statusOfOutcome } from './cache-status.ts';

const NAMESPACE = 'OCI-Namespace';
const WARNING = 'Warning';

/** Returns the reply to send for an answer, and notes the outcome in the record. */
export function rendered(answer: Answer, record: RequestRecord, ns: string | undefined): Reply {
  const { outcome } = answer;
  if (outcome !== undefined) record.outcome = outcomeName(outcome);
  const status = statusOfOutcome(outcome);
  const reply = withCommonHeaders(answer, record.id, status, outcome?.ageMs, privacyOf(record.principal));
  const told = withNamespace(reply, record, ns);
  if (outcome?.warning === undefined) return told;
  return withHeaders(told, { [WARNING]: formatWarnings([outcome.warning]) });
}

/** Does the same for a prepared answer: its headers are in another order, and flat. */
export function renderedFlat(
  { prepared, outcome }: PreparedAnswer,
  record: RequestRecord,
  ns: string | undefined,
): FlatReply {
  record.outcome = outcomeName(outcome);
  const { status, body } = prepared.reply;
  const constant = prepared.headersFor(privacyOf(record.principal));
  const headers = constant.concat(requestHeaders(record.id, statusOfOutcome(outcome), outcome.ageMs));
  const namespace = namespaceOf(record, ns);
  if (namespace !== undefined) headers.push(NAMESPACE, namespace);
  if (outcome.warning !== undefined)
    for (const warning of formatWarnings([outcome.warning])) headers.push(WARNING, warning);
  return { status, headers, body };
}

/**
 * Tells a client that came by `ns` that Larder understood it (distribution-spec, "Registry Proxying"), by the
 * upstream's name in the config. The `ns` has selected that upstream, so it is that name, at most in other case.
 */
export function withNamespace(reply: Reply, record: RequestRecord, ns: string | undefined): Reply {
  const namespace = namespaceOf(record, ns);
  return namespace === undefined ? reply : withHeaders(reply, { [NAMESPACE]: namespace });
}

export function withHeaders(reply: Reply, headers: OutgoingHttpHeaders): Reply {
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

function namespaceOf({ upstream }: RequestRecord, ns: string | undefined): string | undefined {
  return ns === undefined || upstream === undefined ? undefined : asciiLower(ns);
}
