import type { IncomingMessage } from 'node:http';
import type { Authentication } from '../../access/authentication.ts';
import type { Identity } from '../../access/identity.ts';
import { authorizationOf } from './authorization.ts';
import { clientKey } from './client-key.ts';
import type { RequestRecord } from './request-record.ts';

/**
 * Finds out who sends a request, and notes it in the record.
 * @throws AccessError wrong-credentials, throttled, unavailable
 */
export async function identify(
  authentication: Authentication,
  incoming: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
  record: RequestRecord,
): Promise<Identity> {
  const authorization = authorizationOf(incoming);
  const client = (): string => clientKey(record.client);
  const known = authentication.identifyNow(authorization, client);
  const identity = known ?? (await authentication.identify({ authorization, client: client() }));
  record.principal = identity.principal;
  return identity;
}
