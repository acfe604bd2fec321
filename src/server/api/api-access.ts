import type { IncomingMessage } from 'node:http';
import { AccessError } from '../../access/access-error.ts';
import type { Gate } from '../../access/gate.ts';
import type { ApiRoute } from '../../api/contract/routes.ts';
import { ProblemError } from '../../api/problem-error.ts';
import { identify } from '../request/identify.ts';
import { isOnThisMachine, UNIX_PEER } from '../request/peer.ts';
import type { RequestRecord } from '../request/request-record.ts';
import { crossSiteReason, namesThisMachine } from './cross-site.ts';

export interface ApiAccessOptions {
  readonly gate: Gate;
  /** Whether the configuration says who may do what. */
  readonly hasRules: boolean;
}

/**
 * Checks what a client of the API may do over HTTP.
 * - A page of another site may do nothing, with whatever credentials the browser has kept.
 * - Without rules, programs on this machine may read, and none may change anything: the control socket is there for
 *   that, and its file has an owner.
 * - By rules, a change needs a client that has said who it is: what every client may do, a page of another site can do
 *   from the network of its visitor.
 * @throws ProblemError, AccessError
 */
export async function checkApiAccess(
  { gate, hasRules }: ApiAccessOptions,
  incoming: IncomingMessage,
  record: RequestRecord,
  needs: ApiRoute['needs'],
): Promise<void> {
  record.action = needs;
  const reason = crossSiteReason(incoming.headers);
  if (reason !== undefined) throw new ProblemError('forbidden', reason);
  if (!hasRules) assertLocalRead(incoming, record, needs);
  const identity = await identify(gate.authentication, incoming, record);
  if (needs === 'read' && gate.allows(identity, 'admin', undefined)) return;
  gate.assertAllowed(identity, needs, undefined);
  if (needs === 'admin' && identity.principal.kind === 'anonymous') throw noCredentials();
}

function assertLocalRead(
  incoming: IncomingMessage,
  { client }: RequestRecord,
  needs: ApiRoute['needs'],
): void {
  if (needs === 'admin')
    throw new ProblemError(
      'forbidden',
      'without "access" in the configuration, the larder command alone changes the cache, on the server\'s machine',
    );
  if (!isOnThisMachine(client)) throw noCredentials();
  if (client !== UNIX_PEER && !namesThisMachine(incoming.headers.host))
    throw new ProblemError('forbidden', 'expected localhost or a loopback address in the header Host');
}

function noCredentials(): AccessError {
  return new AccessError('no-credentials', 'authentication required');
}
