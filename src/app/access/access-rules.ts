import type { Groups } from '../../access/rules/who.ts';
import { Rules, type Rule } from '../../access/rules/rules.ts';
import type { Config } from '../../config/config.ts';
import { isLoopback } from '../../config/values/addresses/listen-address.ts';

/** The part of the configuration that says who may do what. */
export type AccessSettings = Pick<Config, 'access' | 'listen'>;

/**
 * Returns the rules that the configuration has. Their positions are those in `access.rules`; `anonymous` is one more
 * behind them.
 */
export function rulesOf(settings: AccessSettings): Rules {
  return new Rules(listRules(settings), groupsOf(settings));
}

/**
 * Whether credentials are of use. If not, those that arrive are not even read: a Docker daemon sends its account at
 * Docker Hub to every mirror, and must not be refused for it.
 */
export function asksForCredentials({ access }: AccessSettings): boolean {
  if (access === undefined) return false;
  const words = [...access.rules.map(({ who }) => who), ...Object.values(access.groups)].flat();
  const hasLogins = access.users !== undefined || Object.keys(access.oidc).length > 0;
  // Static tokens are made by a command, so that only rules tell of them.
  return hasLogins || words.some(({ kind }) => kind !== 'anonymous');
}

/** Without `access` everything is open, but for the metrics and the API beyond this machine: they name what is pulled. */
function listRules({ access, listen }: AccessSettings): readonly Rule[] {
  if (access === undefined)
    return [forAll(isLoopback(listen) ? ['pull', 'tags', 'read', 'metrics'] : ['pull', 'tags'])];
  const { rules, anonymous } = access;
  return anonymous === undefined ? rules : [...rules, forAll(anonymous)];
}

function forAll(allow: Rule['allow']): Rule {
  return { repositories: ['**'], who: [{ kind: 'anonymous' }], allow };
}

function groupsOf({ access }: AccessSettings): Groups {
  return new Map(Object.entries(access?.groups ?? {}));
}
