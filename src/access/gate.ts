import { AccessError } from './access-error.ts';
import type { Action } from './action.ts';
import type { Authentication } from './authentication.ts';
import { CATALOG, placeName, type Identity, type Place } from './identity.ts';
import { Decisions } from './rules/decisions.ts';
import type { Rules } from './rules/rules.ts';

/** A list of repositories shows those in which the client may do one of these: it could ask for them by name. */
const LISTED: readonly Action[] = ['tags', 'pull'];

/**
 * The one place that decides whether a request may be answered. Callers ask it once they know what the request is for,
 * and before they look anything up.
 */
export class Gate {
  readonly authentication: Authentication;
  readonly #rules: Rules;
  readonly #decisions: Decisions;

  constructor(rules: Rules, authentication: Authentication) {
    this.#rules = rules;
    this.#decisions = new Decisions(rules);
    this.authentication = authentication;
  }

  /** Whether some clients may not pull everything, so that errors too must not tell them what there is. */
  get isClosed(): boolean {
    return !this.#rules.isOpenToAll;
  }

  /** @param place undefined: what concerns no repository, such as the metrics */
  allows({ principal, grant }: Identity, action: Action, place: Place | undefined): boolean {
    return this.#decisions.isAllowed(principal, action, place) && isGranted(grant, action, place);
  }

  /** @throws AccessError no-credentials, denied, insufficient-scope */
  assertAllowed(identity: Identity, action: Action, place: Place | undefined): void {
    const { principal, grant } = identity;
    if (!this.#decisions.isAllowed(principal, action, place)) {
      throw principal.kind === 'anonymous'
        ? noCredentials()
        : new AccessError('denied', 'there is no such thing here');
    }
    if (!isGranted(grant, action, place)) throw insufficientScope();
  }

  /**
   * Checks a ping: clients learn from it whether they need credentials (distribution-spec, "Determining Support").
   * @param registry the one that the ping names; undefined: it is the ping of all registries
   * @throws AccessError no-credentials
   */
  assertPing({ principal }: Identity, registry: string | undefined): void {
    const isOpen = registry === undefined ? !this.#rules.needsUser : this.#rules.isOpen(registry);
    if (!isOpen && principal.kind === 'anonymous') throw noCredentials();
  }

  /**
   * Checks that the client may learn that its request means nothing here: an answer that differs from the one to a
   * denied request tells of what is configured.
   * @throws AccessError no-credentials
   */
  assertMayLearn({ principal }: Identity): void {
    if (this.isClosed && principal.kind === 'anonymous') throw noCredentials();
  }

  /**
   * Returns which repositories the catalog shows the client; undefined: none at all.
   * @throws AccessError no-credentials (none without them), insufficient-scope
   */
  shownInCatalog({ principal, grant }: Identity): ((place: Place) => boolean) | undefined {
    const showsAny = this.#rules.mayAnywhere(principal, LISTED);
    if (!showsAny && principal.kind === 'anonymous') throw noCredentials();
    if (grant !== undefined && grant.get(CATALOG)?.has('tags') !== true) throw insufficientScope();
    if (!showsAny) return undefined;
    return (place) => LISTED.some((action) => this.#rules.decide(principal, action, place).isAllowed);
  }
}

function isGranted(grant: Identity['grant'], action: Action, place: Place | undefined): boolean {
  if (grant === undefined) return true;
  return place !== undefined && grant.get(placeName(place))?.has(action) === true;
}

function noCredentials(): AccessError {
  return new AccessError('no-credentials', 'authentication required');
}

function insufficientScope(): AccessError {
  return new AccessError('insufficient-scope', 'the token was issued for something else');
}
