import type { Action } from '../action.ts';
import { placeName, type Place } from '../identity.ts';
import type { Principal } from '../principal.ts';
import type { Rules } from './rules.ts';

/** Enough for the repositories that one client pulls from. Clients choose the names, so the number is bounded. */
const MAX_OF_PRINCIPAL = 1_000;

/**
 * The decisions of rules, remembered: the rules never change while Larder runs, and to match their globs for each warm
 * manifest would cost a twentieth of its answer.
 */
export class Decisions {
  readonly #rules: Pick<Rules, 'decide'>;
  /** By the object: the verdict on a client's credentials is remembered, and with it the principal. */
  readonly #known = new WeakMap<Principal, Map<string, boolean>>();

  constructor(rules: Pick<Rules, 'decide'>) {
    this.#rules = rules;
  }

  /** @param place undefined: what concerns no repository, such as the metrics */
  isAllowed(principal: Principal, action: Action, place: Place | undefined): boolean {
    if (place === undefined) return this.#rules.decide(principal, action, place).isAllowed;
    const known = this.#of(principal);
    const key = `${action} ${placeName(place)}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const { isAllowed } = this.#rules.decide(principal, action, place);
    if (known.size >= MAX_OF_PRINCIPAL) known.clear();
    known.set(key, isAllowed);
    return isAllowed;
  }

  #of(principal: Principal): Map<string, boolean> {
    const known = this.#known.get(principal);
    if (known !== undefined) return known;
    const none = new Map<string, boolean>();
    this.#known.set(principal, none);
    return none;
  }
}
