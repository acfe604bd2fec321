import { LRUCache } from 'lru-cache';
import { parseChallenges, type Challenge } from '../../http/challenge.ts';
import { abortable } from '../../async/abortable.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { Reporter } from '../transport/reporter.ts';
import type { HopRequest, Send } from '../transport/transport.ts';
import { chooseDemand, withoutRepositoryScopes, type AuthDemand } from './demand.ts';
import type { TokenPlace } from './place.ts';

/** The demand found at a place: `nothing` if it answers without Authorization. */
export type Discovered = AuthDemand | 'nothing';

/** Most demands remembered. Forgetting one costs one request. */
const MAX_DEMANDS = 2000;

/** Remembers the demands of hosts, by place and by host, so that most requests are authorized from the start. */
export class Demands {
  readonly #send: Send;
  readonly #reporter: Reporter;
  readonly #known = new LRUCache<string, AuthDemand>({ max: MAX_DEMANDS });
  readonly #discoveries = new Map<string, Promise<Discovered | undefined>>();

  constructor(options: { readonly send: Send; readonly reporter: Reporter }) {
    this.#send = options.send;
    this.#reporter = options.reporter;
  }

  recall(place: TokenPlace): AuthDemand | undefined {
    return this.#known.get(placeKey(place)) ?? this.#known.get(place.origin);
  }

  /** Whether the remembered demand comes from the place's own challenge, and not from another place of its host. */
  isOwn(place: TokenPlace): boolean {
    return this.#known.has(placeKey(place));
  }

  forget(place: TokenPlace): void {
    this.#known.delete(placeKey(place));
    this.#known.delete(place.origin);
  }

  /** Takes the demand from the refusal of a request without Authorization, else from the ping. */
  async fromRefusal(
    place: TokenPlace,
    hop: HopRequest,
    refusal: UpstreamResponse,
  ): Promise<Discovered | undefined> {
    return this.#learn(place, refusal) ?? this.#share(place, hop.signal, () => this.#ping(place));
  }

  /**
   * Asks again without Authorization, since a challenge to a request that carried one is unreliable: Harbor turns to
   * Basic there, and NVCR to another realm.
   */
  async fromProbe(place: TokenPlace, hop: HopRequest): Promise<Discovered | undefined> {
    const { signal, ...probe } = hop;
    return this.#share(place, signal, async () => {
      const answer = await this.#send(probe);
      await answer.body.discard();
      const demand = this.#learn(place, answer);
      if (demand !== undefined) return demand;
      if (answer.status >= 400) return this.#ping(place);
      this.forget(place);
      return 'nothing';
    });
  }

  /** Asks the ping, since GCR challenges only there. A ping's challenge is about no particular repository. */
  async #ping(place: TokenPlace): Promise<AuthDemand | undefined> {
    const answer = await this.#reporter.report('ping', 'GET', async () => {
      const answer = await this.#send({ method: 'GET', url: place.pingUrl, headers: {} });
      await answer.body.discard();
      return answer;
    });
    const demand = chooseDemand(challengesOf(answer));
    return demand === undefined ? undefined : this.#remember(place, withoutRepositoryScopes(demand));
  }

  #learn(place: TokenPlace, answer: UpstreamResponse): AuthDemand | undefined {
    const demand = chooseDemand(challengesOf(answer));
    return demand === undefined ? undefined : this.#remember(place, demand);
  }

  #remember(place: TokenPlace, demand: AuthDemand): AuthDemand {
    this.#known.set(placeKey(place), demand);
    this.#known.set(place.origin, withoutRepositoryScopes(demand));
    return demand;
  }

  /** Runs one discovery for each place at a time and shares it; a caller's signal ends only its own wait. */
  async #share(
    place: TokenPlace,
    signal: AbortSignal | undefined,
    discover: () => Promise<Discovered | undefined>,
  ): Promise<Discovered | undefined> {
    const key = placeKey(place);
    let discovery = this.#discoveries.get(key);
    if (discovery === undefined) {
      discovery = discover().finally(() => this.#discoveries.delete(key));
      this.#discoveries.set(key, discovery);
    }
    return abortable(discovery, signal);
  }
}

function placeKey(place: TokenPlace): string {
  return `${place.origin}\n${place.repository ?? ''}`;
}

export function challengesOf(answer: UpstreamResponse): Challenge[] {
  return parseChallenges(answer.headers['www-authenticate']);
}
