import type { Groups } from '../access/rules/who.ts';
import { Rules, type Rule } from '../access/rules/rules.ts';
import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/values/listen-address.ts';

/** The part of the configuration that says who may do what. */
export type AccessSettings = Pick<Config, 'access' | 'listen'>;

/**
 * Returns the rules that the configuration has. Their positions are those in `access.rules`; `anonymous` is one more
 * behind them.
 */
export function rulesOf(settings: AccessSettings): Rules {
  return new Rules(listRules(settings), groupsOf(settings));
}

/** Without `access` everything is open, but for the metrics beyond this machine: they name what is pulled. */
function listRules({ access, listen }: AccessSettings): readonly Rule[] {
  if (access === undefined)
    return [forAll(isLoopback(listen) ? ['pull', 'tags', 'metrics'] : ['pull', 'tags'])];
  const { rules, anonymous } = access;
  return anonymous === undefined ? rules : [...rules, forAll(anonymous)];
}

function forAll(allow: Rule['allow']): Rule {
  return { repositories: ['**'], who: [{ kind: 'anonymous' }], allow };
}

function groupsOf({ access }: AccessSettings): Groups {
  return new Map(Object.entries(access?.groups ?? {}));
}
