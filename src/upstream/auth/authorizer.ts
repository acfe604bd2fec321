import type { Clock } from '../../clock.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import { UpstreamError } from '../error.ts';
import type { Reporter } from '../transport/reporter.ts';
import type { HopRequest, Send } from '../transport/transport.ts';
import type { AccountStanding } from './account-standing.ts';
import {
  CredentialError,
  accountOf,
  basicAuthorization,
  type CredentialSource,
  type Credentials,
} from '../credentials/credentials.ts';
import {
  isInsufficientScope,
  isSameDemand,
  withPullScope,
  type BearerDemand,
  type AuthDemand,
} from './demand.ts';
import { Demands, challengesOf } from './demands.ts';
import { placeOf, type TokenPlace } from './place.ts';
import { realmTrust } from './realm.ts';
import { Refusals } from './refusals.ts';
import { isRefused, refusalOfAccount } from './refused.ts';
import { TokenCache, type Token } from './token-cache.ts';
import type { TokenClient } from './token-client.ts';
import type { ReceivedToken } from './token-response.ts';

export interface AuthorizerOptions {
  readonly upstream: string;
  readonly url: URL;
  readonly credentials: CredentialSource | undefined;
  readonly trustedRealms: readonly string[];
  readonly standing: AccountStanding;
  readonly clock: Clock;
  readonly send: Send;
  readonly tokenClient: TokenClient;
  readonly reporter: Reporter;
}

/** The Authorization of a request. */
interface Authorization {
  /** Undefined if upstream asks for no authorization. */
  readonly header: string | undefined;
  /** Whether it comes from the configured account. */
  readonly isAccount?: boolean;
  readonly token?: { readonly key: string; readonly value: Token; readonly scopes: readonly string[] };
  /** The realm that did not get the credentials. */
  readonly withheldFrom?: string | undefined;
}

/** An attempt to authorize a request by the demand that is remembered for its place. */
interface Attempt {
  readonly used?: Authorization | undefined;
  /** The demand that could not be met. The request goes without Authorization, and never tries this demand again. */
  readonly failed?: { readonly demand: AuthDemand; readonly error: UpstreamError } | undefined;
}

/** Age up to which a token that grants too little is not renewed: the next one would grant the same. */
const SETTLED_MS = 60_000;

const ACCOUNT_REFUSED = 'the configured account is refused';

/**
 * Puts the right Authorization on each request, and renews it once if it is refused. Demands and tokens are kept apart
 * for each origin: a redirect's host has its own realm, and never sees the account.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens: TokenCache;
  readonly #demands: Demands;
  readonly #refusals: Refusals;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#tokens = new TokenCache(options.clock);
    this.#demands = new Demands(options);
    this.#refusals = new Refusals(options.clock);
  }

  get standing(): AccountStanding {
    return this.#options.standing;
  }

  /** Sends one hop. The answer may still be a refusal: then Larder has nothing that upstream would accept. */
  async send(hop: HopRequest): Promise<UpstreamResponse> {
    const place = placeOf(hop.url, this.#options.url, hop.repository);
    const { used, failed } = await this.#authorizeAsRemembered(place, hop.signal);
    const answer = await this.#sendWith(hop, used);
    if (!(await isRefused(answer, used?.header !== undefined))) return this.#assess(answer, place, used);
    const renewed = await this.#renew(place, hop, answer, { used, failed }).catch(async (error: unknown) => {
      await answer.body.discard();
      throw error;
    });
    if (renewed === undefined || renewed.header === used?.header) return this.#assess(answer, place, used);
    await answer.body.discard();
    return this.#assess(await this.#sendWith(hop, renewed), place, renewed);
  }

  /** Marks a refusal with its possible cause. */
  async #assess(
    answer: UpstreamResponse,
    place: TokenPlace,
    used: Authorization | undefined,
  ): Promise<UpstreamResponse> {
    if (!place.isOwn || this.#options.credentials === undefined) return answer;
    const { isAccount = false, token, withheldFrom } = used ?? {};
    if (isAccount && answer.status < 400) this.#options.standing.accepted(token?.value.receivedAt);
    answer.refusedAs = await refusalOfAccount(answer, isAccount && token === undefined);
    if (answer.refusedAs === 'account-refused') answer.note = ACCOUNT_REFUSED;
    if (withheldFrom !== undefined) {
      answer.note =
        `the credentials were not sent to the token realm ${withheldFrom}, ` +
        'which is not of the registry; trustedRealms can name it';
    }
    return answer;
  }

  async #sendWith(hop: HopRequest, authorization: Authorization | undefined): Promise<UpstreamResponse> {
    const header = authorization?.header;
    if (header === undefined) return this.#options.send(hop);
    return this.#options.send({ ...hop, headers: { ...hop.headers, authorization: header } });
  }

  /**
   * Meets the place's last known demand. If that fails, or the demand is another repository's, the request goes without
   * Authorization, and the fresh challenge decides.
   */
  async #authorizeAsRemembered(place: TokenPlace, signal: AbortSignal | undefined): Promise<Attempt> {
    const demand = this.#demands.recall(place);
    if (demand === undefined) return {};
    const isOwn = this.#demands.isOwn(place);
    try {
      return { used: await this.#authorize(demand, place, signal) };
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.reason === 'credentials') throw error;
      if (error.failure === 'unavailable') this.#demands.forget(place);
      else if (isOwn) throw error;
      return { failed: { demand, error } };
    }
  }

  /** Finds another Authorization after a refusal. @returns undefined if there is nothing new to try */
  async #renew(
    place: TokenPlace,
    hop: HopRequest,
    refusal: UpstreamResponse,
    { used, failed }: Attempt,
  ): Promise<Authorization | undefined> {
    if (used?.header !== undefined) {
      if (this.#isSettled(refusal, used)) return undefined;
      const successor = this.#dismiss(used);
      if (successor !== undefined) return successor;
    }
    const discovered =
      used?.header === undefined
        ? await this.#demands.fromRefusal(place, hop, refusal)
        : await this.#demands.fromProbe(place, hop);
    if (discovered === 'nothing') return { header: undefined };
    if (discovered === undefined) return undefined;
    if (failed !== undefined && isSameDemand(complete(discovered, place), complete(failed.demand, place)))
      throw failed.error;
    return this.#authorize(discovered, place, hop.signal);
  }

  /** Whether the token is good but grants too little, and another one would grant no more. */
  #isSettled(refusal: UpstreamResponse, { token }: Authorization): boolean {
    if (token === undefined || refusal.status !== 401) return false;
    const age = this.#options.clock.monotonic() - token.value.receivedAt;
    return age < SETTLED_MS && isInsufficientScope(challengesOf(refusal), token.scopes);
  }

  /** Forgets the refused Authorization. @returns the token that another caller has already got in its place */
  #dismiss(used: Authorization): Authorization | undefined {
    if (used.token === undefined) {
      this.#options.credentials?.invalidate();
      return undefined;
    }
    const { key, value, scopes } = used.token;
    this.#tokens.invalidate(key, value);
    const successor = this.#tokens.peek(key);
    if (successor === undefined) return undefined;
    return { ...used, header: `Bearer ${successor.value}`, token: { key, value: successor, scopes } };
  }

  async #authorize(
    demand: AuthDemand,
    place: TokenPlace,
    signal?: AbortSignal,
  ): Promise<Authorization | undefined> {
    const wanted = complete(demand, place);
    if (wanted.scheme === 'bearer') return this.#bearer(wanted, place, signal);
    const credentials = place.isOwn ? await this.#credentials(signal) : undefined;
    return credentials && { header: basicAuthorization(credentials), isAccount: true };
  }

  async #bearer(demand: BearerDemand, place: TokenPlace, signal?: AbortSignal): Promise<Authorization> {
    const { realm, scopes } = demand;
    const trust = realmTrust(new URL(place.origin), realm, this.#options.trustedRealms);
    if (trust === 'refused') {
      throw this.#error(
        'challenge',
        `${place.origin} names the token realm ${realm.origin}, which is not asked`,
      );
    }
    const hasAccount = place.isOwn && this.#options.credentials !== undefined;
    const credentials = hasAccount && trust === 'credentials' ? await this.#credentials(signal) : undefined;
    const key = JSON.stringify([place.origin, accountOf(credentials), realm.href, demand.service, ...scopes]);
    const value = await this.#tokens.get(key, () => this.#fetchToken(demand, credentials, key), signal);
    return {
      header: `Bearer ${value.value}`,
      isAccount: credentials !== undefined,
      token: { key, value, scopes },
      withheldFrom: hasAccount && trust !== 'credentials' ? realm.host : undefined,
    };
  }

  /** Fetches a token, unless the account was refused for it a short time ago. @param key of the token */
  async #fetchToken(
    demand: BearerDemand,
    credentials: Credentials | undefined,
    key: string,
  ): Promise<ReceivedToken> {
    if (credentials === undefined) return this.#options.tokenClient.fetch(demand, undefined);
    // A changed secret may be accepted, so it has a key of its own.
    const refusalKey = `${key} ${basicAuthorization(credentials)}`;
    const known = this.#refusals.get(refusalKey);
    if (known !== undefined) throw known;
    try {
      return await this.#fetchTokenFor(demand, credentials);
    } catch (error) {
      // A token endpoint refuses the account by 401; GHCR refuses a repository by 403.
      const isOfAccount = error instanceof UpstreamError && error.status === 401;
      if (!isOfAccount) throw error;
      const refusal = this.#accountRefused(error);
      this.#refusals.put(refusalKey, refusal);
      throw refusal;
    }
  }

  /** Fetches a token for the account, and tries once more if its secret has changed since it was read. */
  async #fetchTokenFor(demand: BearerDemand, credentials: Credentials): Promise<ReceivedToken> {
    try {
      return await this.#options.tokenClient.fetch(demand, credentials);
    } catch (error) {
      if (!isTokenRefused(error)) throw error;
      this.#options.credentials?.invalidate();
      const current = await this.#credentials(undefined);
      if (current === undefined || basicAuthorization(current) === basicAuthorization(credentials))
        throw error;
      return this.#options.tokenClient.fetch(demand, current);
    }
  }

  #accountRefused(error: UpstreamError): UpstreamError {
    const { upstream, standing } = this.#options;
    const text = `${error.said} (${ACCOUNT_REFUSED})`;
    const options = { status: error.status, cause: error };
    const refusal = new UpstreamError(upstream, 'denied', 'account-refused', text, options);
    standing.refused(refusal);
    return refusal;
  }

  async #credentials(signal: AbortSignal | undefined): Promise<Credentials | undefined> {
    try {
      return await this.#options.credentials?.get(signal);
    } catch (error) {
      if (error instanceof CredentialError) throw this.#error('credentials', error.message, error);
      throw error;
    }
  }

  #error(reason: 'challenge' | 'credentials', message: string, cause?: unknown): UpstreamError {
    // If Larder cannot read its own account, that says nothing about upstream.
    const wasAsked = reason !== 'credentials';
    return new UpstreamError(this.#options.upstream, 'unavailable', reason, message, { cause, wasAsked });
  }
}

/** Whether a token was refused in a way that another secret may change. */
function isTokenRefused(error: unknown): boolean {
  return (
    error instanceof UpstreamError &&
    (error.failure === 'denied' || error.status === 401 || error.status === 403)
  );
}

function complete(demand: AuthDemand, { repository }: TokenPlace): AuthDemand {
  return demand.scheme === 'bearer' ? withPullScope(demand, repository) : demand;
}
