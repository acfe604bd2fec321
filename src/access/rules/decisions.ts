import type { Action } from '../action.ts';
import { placeName, type Place } from '../identity.ts';
import type { Principal } from '../principal.ts';
import type { Rules } from './rules.ts';

/**
 * Enough for all repositories that are pulled from at present, and some megabytes at most. Clients choose the names, and
 * each of their tokens is another principal, so all decisions are counted together.
 */
const MAX = 10_000;

/**
 * The decisions of rules, remembered: the rules never change while Larder runs, and to match their globs for each warm
 * manifest would cost a twentieth of its answer.
 */
export class Decisions {
  readonly #rules: Pick<Rules, 'decide'>;
  /** By the object: the verdict on a client's credentials is remembered, and with it the principal. */
  #known = new WeakMap<Principal, Map<string, boolean>>();
  #size = 0;

  constructor(rules: Pick<Rules, 'decide'>) {
    this.#rules = rules;
  }

  /** @param place undefined: what concerns no repository, such as the metrics */
  isAllowed(principal: Principal, action: Action, place: Place | undefined): boolean {
    if (place === undefined) return this.#rules.decide(principal, action, place).isAllowed;
    const key = `${action} ${placeName(place)}`;
    const before = this.#known.get(principal)?.get(key);
    if (before !== undefined) return before;
    const { isAllowed } = this.#rules.decide(principal, action, place);
    this.#remember(principal, key, isAllowed);
    return isAllowed;
  }

  #remember(principal: Principal, key: string, isAllowed: boolean): void {
    if (this.#size >= MAX) {
      this.#known = new WeakMap();
      this.#size = 0;
    }
    this.#of(principal).set(key, isAllowed);
    this.#size += 1;
  }

  #of(principal: Principal): Map<string, boolean> {
    const known = this.#known.get(principal);
    if (known !== undefined) return known;
    const none = new Map<string, boolean>();
    this.#known.set(principal, none);
    return none;
  }
}
