import type { z } from 'zod';
import { shown, type ConfigProblem, type KeyPath } from '../../config-problem.ts';
import { isMisspelt } from '../../source/nearest.ts';
import { isPlainMap, listAt, mapAt, type PlainMap } from '../../source/plain-value.ts';
import { keysAt } from '../../source/schema-shape.ts';
import { ISSUER_NAME } from '../../values/access/who.ts';
import { FOR_NO_REPOSITORY } from '../../values/access/action.ts';
import { checkWords } from './access-word-checks.ts';
import { checkPublicIssuer } from './public-issuers.ts';
import { checkRuleGlobs } from './rule-glob-checks.ts';

/**
 * Checks that what `access` names is there: issuers, groups, users, upstreams. A rule that names nothing would deny
 * in silence, or leave open what a rule behind it allows. Takes the file as written, as `checkUpstreams` does, and says
 * nothing about values that the schema has refused.
 */
export function checkAccess(file: unknown, schema: z.core.$ZodType): readonly ConfigProblem[] {
  const access = isPlainMap(file) ? file['access'] : undefined;
  if (access === undefined) return [];
  const map = access ?? {};
  if (!isPlainMap(map)) return [];
  const rules = listAt(map, 'rules').map((rule) => (isPlainMap(rule) ? rule : {}));
  return [
    ...checkPresence(access, map, keysAt(schema, ['access'])),
    ...checkIssuers(mapAt(map, 'oidc')),
    ...checkGroupNames(mapAt(map, 'groups')),
    ...checkLists(map, rules),
    ...checkWords(map, rules),
    ...checkRuleGlobs(file, rules),
    ...checkForNone(rules),
  ];
}

function checkPresence(access: unknown, map: PlainMap, known: readonly string[]): readonly ConfigProblem[] {
  const allowing = ['anonymous', 'rules'];
  if (allowing.some((key) => map[key] !== undefined || isMisspelt(map, key, known))) return [];
  const got = access === null ? ', got nothing' : '';
  return [
    { path: ['access'], message: `expected anonymous or rules, without which nothing is allowed${got}` },
  ];
}

function checkIssuers(issuers: PlainMap): readonly ConfigProblem[] {
  const names = new Map<unknown, string>();
  return Object.entries(issuers).flatMap(([name, entry]): readonly ConfigProblem[] => {
    const path = ['access', 'oidc', name];
    if (!ISSUER_NAME.test(name))
      return [
        {
          path,
          message: 'expected a name of letters, digits, ".", "-" and "_", since rules have it before a colon',
        },
      ];
    const issuer = isPlainMap(entry) ? entry['issuer'] : undefined;
    const first = names.get(issuer);
    if (issuer === undefined || first === undefined) {
      names.set(issuer, name);
      return isPlainMap(entry) ? checkPublicIssuer(path, entry) : [];
    }
    const message = `expected each issuer once, ${shown(issuer)} is that of ${first}`;
    return [{ path: [...path, 'issuer'], message }];
  });
}

function checkGroupNames(groups: PlainMap): readonly ConfigProblem[] {
  return Object.keys(groups).flatMap((name) => {
    if (/^[^:*\p{Cc}]+$/u.test(name)) return [];
    const message = 'expected a name without ":" (groups of issuers have one) and "*"';
    return [{ path: ['access', 'groups', name], message }];
  });
}

/** Reports empty lists: such a rule could never match, such a group would have no members. */
function checkLists(map: PlainMap, rules: readonly PlainMap[]): readonly ConfigProblem[] {
  const groups = mapAt(map, 'groups');
  const lists: readonly (readonly [KeyPath, unknown])[] = [
    [['access', 'rules'], map['rules']],
    ...rules.flatMap((rule, position) =>
      ['repositories', 'who'].map((key) => [['access', 'rules', position, key], rule[key]] as const),
    ),
    ...Object.entries(groups).map(([name, list]) => [['access', 'groups', name], list] as const),
  ];
  return lists.flatMap(([path, list]) =>
    Array.isArray(list) && list.length === 0
      ? [{ path, message: 'expected at least one entry, got an empty list' }]
      : [],
  );
}

/** Reports rules for what concerns no repository that are for some repositories: such a rule could never allow anything. */
function checkForNone(rules: readonly PlainMap[]): readonly ConfigProblem[] {
  return rules.flatMap((rule, position) => {
    const [allowed, globs] = [listAt(rule, 'allow'), listAt(rule, 'repositories')];
    const isForNone =
      allowed.length > 0 && allowed.every((action) => FOR_NO_REPOSITORY.includes(String(action)));
    if (!isForNone || globs.length === 0 || globs.includes('**')) return [];
    const message = `expected "**" among them, since no single repository is meant by ${allowed.map(String).join(' or ')}`;
    return [{ path: ['access', 'rules', position, 'repositories'], message }];
  });
}
