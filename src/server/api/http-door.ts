import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccessError } from '../../access/access-error.ts';
import { problemAnswer, type Api } from '../../api/api.ts';
import { problem, PROBLEM_TYPE, type ProblemName } from '../../api/contract/problem.ts';
import { refusePage, type PageRefusal } from '../page-refusal.ts';
import type { RequestRecord } from '../request/request-record.ts';
import { checkApiAccess, type ApiAccessOptions } from './api-access.ts';
import { answerApi, sendApiAnswer } from './api-door.ts';

export interface HttpDoorOptions extends ApiAccessOptions {
  readonly api: Pick<Api, 'answer' | 'close'>;
}

const NAMES: Readonly<Record<PageRefusal['status'], ProblemName>> = {
  401: 'unauthorized',
  404: 'unknown',
  429: 'busy',
  503: 'unavailable',
};

/** Answers the API's requests on the main listener, as the rules allow. Never rejects. */
export async function answerOverHttp(
  options: HttpDoorOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  record: RequestRecord,
): Promise<void> {
  try {
    await answerApi(options.api, incoming, outgoing, (needs) =>
      checkApiAccess(options, incoming, record, needs),
    );
  } catch (error) {
    record.error = error;
    if (outgoing.headersSent) outgoing.destroy();
    else await sendApiAnswer(refusalOf(error), outgoing);
  }
}

function refusalOf(error: unknown): ReturnType<typeof problemAnswer> {
  if (!(error instanceof AccessError)) return problemAnswer(problem('failed', 'internal error'));
  const { status, headers } = refusePage(error);
  return problemAnswer(problem(NAMES[status], error.message), { ...headers, 'Content-Type': PROBLEM_TYPE });
}
