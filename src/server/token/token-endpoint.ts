import type { IncomingMessage } from 'node:http';
import { AccessError } from '../../access/access-error.ts';
import type { Login } from '../../access/authentication.ts';
import type { BearerTokens, IssuedToken } from '../../access/bearer/bearer-tokens.ts';
import { decideGrant, type Granted, type Granting } from '../../access/bearer/grant.ts';
import { formatScope } from '../../access/bearer/scope.ts';
import type { Gate } from '../../access/gate.ts';
import { CATALOG, type Identity, type Place } from '../../access/identity.ts';
import { RegistryError } from '../../oci/error.ts';
import type { RepositoryTable } from '../../repository/repository-table.ts';
import type { Admission } from '../admission.ts';
import { withCommonHeaders } from '../common-headers.ts';
import { errorReply, overloadReply } from '../error-reply.ts';
import { jsonBody, type Reply } from '../reply.ts';
import { clientKey } from '../request/client-key.ts';
import type { RequestRecord } from '../request/request-record.ts';
import { statusOfError, statusOfOutcome } from '../v2/cache-status.ts';
import { BASIC_CHALLENGE } from '../v2/challenge-of.ts';
import { readTokenRequest, type ClientTokenRequest } from './token-request.ts';

export interface TokenEndpointOptions {
  readonly login: Login;
  readonly gate: Pick<Gate, 'allows'>;
  readonly tokens: Pick<BearerTokens, 'issue'>;
  readonly repositories: Pick<RepositoryTable, 'select'>;
  /** Bounds the requests for tokens: each may wait for a slow check, and they must leave room for pulls. */
  readonly admission: Admission;
}

/** Forbids every cache to keep an answer: it holds a token, or tells a client that it has none. */
const NO_STORE = { 'Cache-Control': 'no-store' } as const;

/** Issues tokens to clients: `/token` (distribution's token specification). */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  /** Replies to a request. Never rejects: an error becomes an error reply, and is noted in the record. */
  async reply(incoming: IncomingMessage, record: RequestRecord): Promise<Reply> {
    const { admission } = this.#options;
    const refusal = admission.enter(record.client);
    if (refusal !== undefined) return overloadReply(refusal, record);
    try {
      record.requestKind = 'token';
      return await this.#answer(incoming, record);
    } catch (error) {
      return failed(error, record);
    } finally {
      admission.leave(record.client);
    }
  }

  async #answer(incoming: IncomingMessage, record: RequestRecord): Promise<Reply> {
    const { login, tokens } = this.#options;
    const asked = await readTokenRequest(incoming);
    const { authorization } = asked;
    const verified = await login.login({ authorization, client: clientKey(record.client) });
    const { identity } = verified;
    record.principal = identity.principal;
    const granted = decideGrant(asked.scopes, this.#granting(identity, asked, incoming.headers.host));
    const issued = await tokens.issue({ principal: identity.principal, grant: granted.grant }, verified);
    const body = jsonBody(answerOf(issued, granted, asked));
    const headers = { 'Content-Type': 'application/json', ...NO_STORE };
    return withCommonHeaders({ status: 200, headers, body }, record.id, statusOfOutcome(undefined));
  }

  #granting(identity: Identity, { ns }: ClientTokenRequest, host: string | undefined): Granting {
    const { gate, repositories } = this.#options;
    return {
      placeOf: (name) => placeOf(repositories, name, ns, host),
      allows: (action, place) => gate.allows(identity, action, place),
      allowsCatalog: identity.grant === undefined || identity.grant.has(CATALOG),
    };
  }
}

/** A name that means nothing gets nothing, as one that the client may not have: the answer tells no difference. */
function placeOf(
  repositories: Pick<RepositoryTable, 'select'>,
  name: string,
  ns: string | undefined,
  host: string | undefined,
): Place | undefined {
  try {
    return repositories.select({ segments: name.split('/'), prefix: undefined, ns, host }).key;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

function answerOf(
  { token, issuedAt, expiresAt }: IssuedToken,
  { scopes }: Granted,
  asked: ClientTokenRequest,
): object {
  return {
    token,
    access_token: token,
    expires_in: (expiresAt - issuedAt) / 1000,
    issued_at: new Date(issuedAt).toISOString(),
    ...(asked.isForm && { scope: scopes.map(formatScope).join(' ') }),
  };
}

function failed(error: unknown, record: RequestRecord): Reply {
  record.error = error;
  record.outcome = 'error';
  const reply = errorReply(error, { kind: undefined, hasFallback: false });
  const headers = { ...reply.headers, ...NO_STORE, ...headersOf(error) };
  return withCommonHeaders({ ...reply, headers }, record.id, statusOfError(error));
}

function headersOf(error: unknown): Readonly<Record<string, string>> {
  // A challenge by Bearer would lead the client here again.
  if (error instanceof AccessError && error.failure === 'wrong-credentials')
    return { 'WWW-Authenticate': BASIC_CHALLENGE };
  if (!(error instanceof RegistryError)) return {};
  if (error.code === 'UNSUPPORTED') return { Allow: 'GET, POST' };
  // The rest of the form is not read.
  return error.code === 'SIZE_INVALID' ? { Connection: 'close' } : {};
}
