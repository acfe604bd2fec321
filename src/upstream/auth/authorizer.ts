import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { parseChallenges, type Challenge } from '../../http/challenge.ts';
import { abortable } from '../abortable.ts';
import type { Answer } from '../answer.ts';
import { isStaleCredential } from '../classify.ts';
import { UpstreamError } from '../error.ts';
import type { Reporter } from '../reporter.ts';
import type { HopRequest, Send } from '../transport.ts';
import {
  CredentialError,
  accountOf,
  basicAuthorization,
  type CredentialSource,
  type Credentials,
} from './credentials.ts';
import {
  chooseDemand,
  isInsufficientScope,
  withPullScope,
  withoutRepositoryScopes,
  type BearerDemand,
  type Demand,
} from './demand.ts';
import { placeOf, type Place } from './place.ts';
import { realmTrust } from './realm.ts';
import { TokenCache, type Token } from './token-cache.ts';
import type { TokenClient } from './token-client.ts';

export interface AuthorizerOptions {
  readonly upstream: string;
  readonly url: URL;
  readonly credentials: CredentialSource | undefined;
  readonly trustedRealms: readonly string[];
  readonly clock: Clock;
  readonly send: Send;
  readonly tokenClient: TokenClient;
  readonly reporter: Reporter;
}

/** What a request was sent with. */
interface Authorization {
  /** Undefined: nothing, because upstream asks for nothing. */
  readonly header: string | undefined;
  readonly token?: { readonly key: string; readonly value: Token; readonly scopes: readonly string[] };
  /** The realm that the credentials were kept from. */
  readonly withheldFrom?: string | undefined;
}

/** What hosts want, by place and by host; forgetting costs one request. */
const MAX_DEMANDS = 2000;

/** Within this time a token that grants too little would be followed by the same one. */
const SETTLED_MS = 60_000;

/**
 * Puts the right Authorization on each request, and renews it once where it is refused. What a host wants is
 * remembered, so that the usual request is authorized from the start. Everything is kept by the origin that
 * challenged: a redirect's host has its own realm, and never sees the account (protocol.md A0, A10).
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens: TokenCache;
  readonly #demands = new LRUCache<string, Demand>({ max: MAX_DEMANDS });
  readonly #discoveries = new Map<string, Promise<Demand | 'nothing' | undefined>>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#tokens = new TokenCache(options.clock);
  }

  /** Sends one hop. The answer may still be a refusal: then nothing that Larder has opens the door. */
  async send(hop: HopRequest): Promise<Answer> {
    const place = placeOf(hop.url, this.#options.url, hop.repository);
    const known = this.#recall(place);
    const used = known === undefined ? undefined : await this.#authorize(known, place, hop.signal);
    const answer = await this.#sendWith(hop, used);
    if (!(await isRefused(answer, used?.header !== undefined))) return answer;
    const renewed = await this.#renew(place, hop, answer, used);
    if (renewed === undefined || renewed.header === used?.header) return note(answer, used);
    await answer.body.discard();
    return note(await this.#sendWith(hop, renewed), renewed);
  }

  async #sendWith(hop: HopRequest, authorization: Authorization | undefined): Promise<Answer> {
    const header = authorization?.header;
    if (header === undefined) return this.#options.send(hop);
    return this.#options.send({ ...hop, headers: { ...hop.headers, authorization: header } });
  }

  /** @returns undefined where there is nothing new to try */
  async #renew(
    place: Place,
    hop: HopRequest,
    refusal: Answer,
    used: Authorization | undefined,
  ): Promise<Authorization | undefined> {
    if (used?.header === undefined) {
      const demand = chooseDemand(challengesOf(refusal));
      if (demand !== undefined) this.#remember(place, demand);
      return this.#obtain(demand ?? (await this.#discover(place, hop, false)), place, hop);
    }
    if (this.#isSettled(refusal, used)) return undefined;
    const successor = this.#dismiss(used);
    if (successor !== undefined) return successor;
    return this.#obtain(await this.#discover(place, hop, true), place, hop);
  }

  async #obtain(
    demand: Demand | 'nothing' | undefined,
    place: Place,
    hop: HopRequest,
  ): Promise<Authorization | undefined> {
    if (demand === undefined) return undefined;
    return demand === 'nothing' ? { header: undefined } : this.#authorize(demand, place, hop.signal);
  }

  /** The token is good and grants too little, and another one would be no different. */
  #isSettled(refusal: Answer, { token }: Authorization): boolean {
    if (token === undefined || refusal.status !== 401) return false;
    const age = this.#options.clock.monotonic() - token.value.receivedAt;
    return age < SETTLED_MS && isInsufficientScope(challengesOf(refusal), token.scopes);
  }

  /** Forgets what was refused. @returns the token that another caller has already got in its place */
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

  #recall(place: Place): Demand | undefined {
    return this.#demands.get(placeKey(place)) ?? this.#demands.get(place.origin);
  }

  #remember(place: Place, demand: Demand): void {
    this.#demands.set(placeKey(place), demand);
    this.#demands.set(place.origin, withoutRepositoryScopes(demand));
  }

  #forget(place: Place): void {
    this.#demands.delete(placeKey(place));
    this.#demands.delete(place.origin);
  }

  /** What the place wants of someone without Authorization. One discovery a place at a time, for all who ask. */
  async #discover(
    place: Place,
    hop: HopRequest,
    withProbe: boolean,
  ): Promise<Demand | 'nothing' | undefined> {
    const key = placeKey(place);
    const running = this.#discoveries.get(key);
    if (running !== undefined) return abortable(running, hop.signal);
    const { signal: _, ...probe } = hop;
    const discovery = this.#ask(place, withProbe ? probe : undefined).finally(() => {
      this.#discoveries.delete(key);
    });
    this.#discoveries.set(key, discovery);
    return abortable(discovery, hop.signal);
  }

  /**
   * Only the challenge of a request without Authorization can be believed: Harbor turns to Basic and NVCR to
   * another realm where a refused one was sent. GCR challenges nowhere but at its ping.
   */
  async #ask(place: Place, probe: HopRequest | undefined): Promise<Demand | 'nothing' | undefined> {
    if (probe !== undefined) {
      const answer = await this.#options.send(probe);
      await answer.body.discard();
      const demand = chooseDemand(challengesOf(answer));
      if (demand !== undefined) {
        this.#remember(place, demand);
        return demand;
      }
      if (answer.status < 400) {
        this.#forget(place);
        return 'nothing';
      }
    }
    return this.#ping(place);
  }

  async #ping(place: Place): Promise<Demand | undefined> {
    const answer = await this.#options.reporter.report('ping', 'GET', async () => {
      const answer = await this.#options.send({ method: 'GET', url: place.pingUrl, headers: {} });
      await answer.body.discard();
      return answer;
    });
    const demand = chooseDemand(challengesOf(answer));
    if (demand === undefined) return undefined;
    const general = withoutRepositoryScopes(demand);
    this.#remember(place, general);
    return general;
  }

  async #authorize(demand: Demand, place: Place, signal?: AbortSignal): Promise<Authorization | undefined> {
    if (demand.scheme === 'bearer')
      return this.#bearer(withPullScope(demand, place.repository), place, signal);
    const credentials = place.isOwn ? await this.#credentials(signal) : undefined;
    return credentials === undefined ? undefined : { header: basicAuthorization(credentials) };
  }

  async #bearer(demand: BearerDemand, place: Place, signal?: AbortSignal): Promise<Authorization> {
    const { realm, scopes } = demand;
    const trust = realmTrust(new URL(place.origin), realm, this.#options.trustedRealms);
    if (trust === 'refused') {
      throw this.#error(
        'challenge',
        `${place.origin} names the token realm ${realm.origin}, which is not asked`,
      );
    }
    const isKnown = place.isOwn && this.#options.credentials !== undefined;
    const credentials = isKnown && trust === 'credentials' ? await this.#credentials(signal) : undefined;
    const key = JSON.stringify([place.origin, accountOf(credentials), realm.href, demand.service, ...scopes]);
    const fetch = () => this.#fetchToken(demand, credentials);
    const value = await this.#tokens.get(key, fetch, signal);
    return {
      header: `Bearer ${value.value}`,
      token: { key, value, scopes },
      withheldFrom: isKnown && trust !== 'credentials' ? realm.host : undefined,
    };
  }

  /** Once more where the account's secret has changed since it was read. */
  async #fetchToken(demand: BearerDemand, credentials: Credentials | undefined) {
    try {
      return await this.#options.tokenClient.fetch(demand, credentials);
    } catch (error) {
      if (credentials === undefined || !(error instanceof UpstreamError) || error.failure !== 'denied')
        throw error;
      this.#options.credentials?.invalidate();
      const current = await this.#credentials(undefined);
      if (current === undefined || basicAuthorization(current) === basicAuthorization(credentials))
        throw error;
      return this.#options.tokenClient.fetch(demand, current);
    }
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
    return new UpstreamError(this.#options.upstream, 'unavailable', reason, message, { cause });
  }
}

function placeKey(place: Place): string {
  return `${place.origin}\n${place.repository ?? ''}`;
}

function challengesOf(answer: Answer): Challenge[] {
  return parseChallenges(answer.headers['www-authenticate']);
}

/**
 * Whether the answer may be another one with other credentials. Besides 401 that is, once something was sent,
 * 403 (ECR's expired password) and 400 DENIED (public.ecr.aws).
 */
async function isRefused(answer: Answer, wasAuthorized: boolean): Promise<boolean> {
  if (answer.status === 401) return true;
  if (!wasAuthorized) return false;
  if (answer.status === 403) return true;
  return answer.status === 400 && isStaleCredential(400, await answer.problem());
}

/** Tells the reader of a refusal what may be behind it. */
function note(answer: Answer, authorization: Authorization | undefined): Answer {
  if (authorization?.withheldFrom !== undefined) {
    answer.note =
      `the credentials were not sent to the token realm ${authorization.withheldFrom}, ` +
      'which is not of the registry; trustedRealms can name it';
  }
  return answer;
}
