import picomatch from 'picomatch';
import { isForNoRepository, type Action } from '../action.ts';
import { placeName, type Place } from '../identity.ts';
import { ANONYMOUS, type Principal } from '../principal.ts';
import { means, type Groups, type Who } from './who.ts';

/** One rule of the configuration. */
export interface Rule {
  /** Globs of `registry/repository`; `**` means all repositories, and what concerns no repository. */
  readonly repositories: readonly string[];
  readonly who: readonly Who[];
  /** What the rule allows; everything else it denies. */
  readonly allow: readonly Action[];
}

/** A decision and its reason. */
export interface Decision {
  readonly isAllowed: boolean;
  /** The position of the rule that decided, from 0; undefined: no rule matched, which denies. */
  readonly rule: number | undefined;
}

/** Whether a rule means a place and a principal. If it means both, it decides. */
export interface Consideration {
  readonly isAboutPlace: boolean;
  readonly isAboutPrincipal: boolean;
}

interface CompiledRule extends Rule {
  readonly matches: (path: string) => boolean;
  readonly isForAll: boolean;
}

/** The rules in their order. The first one that means the repository and the principal decides. Pure. */
export class Rules {
  readonly #rules: readonly CompiledRule[];
  readonly #groups: Groups;

  constructor(rules: readonly Rule[], groups: Groups) {
    this.#rules = rules.map(compiled);
    this.#groups = groups;
  }

  /** @param place undefined: what concerns no repository, such as the metrics */
  decide(principal: Principal, action: Action, place: Place | undefined): Decision {
    const path = place && placeName(place);
    const index = this.#rules.findIndex((rule) => isAbout(rule, path) && this.#means(rule, principal));
    const rule = this.#rules[index];
    return { isAllowed: rule?.allow.includes(action) === true, rule: rule && index };
  }

  /** Returns what each rule means of the place and the principal, from the first rule to the one that decides. */
  consider(principal: Principal, place: Place | undefined): readonly Consideration[] {
    const path = place && placeName(place);
    const all = this.#rules.map((rule) => ({
      isAboutPlace: isAbout(rule, path),
      isAboutPrincipal: this.#means(rule, principal),
    }));
    const deciding = all.findIndex(({ isAboutPlace, isAboutPrincipal }) => isAboutPlace && isAboutPrincipal);
    return deciding === -1 ? all : all.slice(0, deciding + 1);
  }

  /** Whether every client may pull from every repository of the registry, so that its ping needs no credentials. */
  isOpen(registry: string): boolean {
    for (const rule of this.#rules) {
      if (!this.#means(rule, ANONYMOUS) || !rule.repositories.some((glob) => touches(glob, registry)))
        continue;
      if (!rule.allow.includes('pull')) return false;
      if (rule.repositories.some((glob) => covers(glob, registry))) return true;
    }
    return false;
  }

  /**
   * Whether a client gets more from repositories with credentials than without them: then the ping of all registries
   * asks for them. A rule that is only about what concerns no repository (metrics, the API) does not
   * count: a ping says nothing of that.
   */
  get needsUser(): boolean {
    return this.#rules.some(
      ({ who, allow }) =>
        allow.some((action) => !isForNoRepository(action)) && !who.some(({ kind }) => kind === 'anonymous'),
    );
  }

  /**
   * Whether every client may pull from every repository, so that no answer has to be hidden from any. As in `isOpen`, a
   * rule that takes this from some users does not count: they could do without their credentials.
   */
  get isOpenToAll(): boolean {
    for (const rule of this.#rules) {
      if (!this.#means(rule, ANONYMOUS)) continue;
      if (!rule.allow.includes('pull')) return false;
      if (rule.isForAll) return true;
    }
    return false;
  }

  /** Whether there may be a repository in which the principal may do one of the actions. */
  mayAnywhere(principal: Principal, actions: readonly Action[]): boolean {
    return this.#rules.some(
      (rule) => actions.some((action) => rule.allow.includes(action)) && this.#means(rule, principal),
    );
  }

  #means({ who }: Rule, principal: Principal): boolean {
    return who.some((each) => means(each, principal, this.#groups));
  }
}

function compiled(rule: Rule): CompiledRule {
  return {
    ...rule,
    matches: rule.repositories.length === 0 ? () => false : picomatch([...rule.repositories], { dot: true }),
    isForAll: rule.repositories.includes('**'),
  };
}

function isAbout({ isForAll, matches }: CompiledRule, path: string | undefined): boolean {
  return path === undefined ? isForAll : matches(path);
}

/** Whether the glob may match a repository of the registry. */
function touches(glob: string, registry: string): boolean {
  const [first = ''] = glob.split('/', 1);
  return first === '**' || picomatch.isMatch(registry, first, { dot: true });
}

/** Whether the glob matches all repositories of the registry. */
function covers(glob: string, registry: string): boolean {
  if (glob === '**') return true;
  const slash = glob.indexOf('/');
  return slash !== -1 && glob.slice(slash + 1) === '**' && touches(glob, registry);
}
