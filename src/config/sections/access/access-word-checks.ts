import { alternatives, formatKey, shown, type ConfigProblem, type KeyPath } from '../../config-problem.ts';
import { nearest } from '../../source/nearest.ts';
import { isPlainMap, listAt, mapAt, type PlainMap } from '../../source/plain-value.ts';
import { parseWho, type WhoConfig } from '../../values/access/who.ts';
import { ValueError, valueOrError } from '../../values/value-error.ts';

/** What the words of rules may name. */
interface Named {
  readonly hasUsers: boolean;
  readonly groups: readonly string[];
  readonly issuers: PlainMap;
}

/** Reports words of rules and groups that name what the file does not have. @param map `access`, as written */
export function checkWords(map: PlainMap, rules: readonly PlainMap[]): readonly ConfigProblem[] {
  const groups = mapAt(map, 'groups');
  const named: Named = {
    hasUsers: map['users'] !== undefined,
    groups: Object.keys(groups),
    issuers: mapAt(map, 'oidc'),
  };
  const ofGroups = Object.keys(groups).flatMap((name) =>
    words(groups, name, ['access', 'groups', name]).map((word) => checkMember(word, named)),
  );
  const ofRules = rules.flatMap((rule, position) =>
    words(rule, 'who', ['access', 'rules', position, 'who']).map((word) => checkWord(word, named)),
  );
  return [...ofGroups, ...ofRules].flatMap((problem) => (problem === undefined ? [] : [problem]));
}

/** A word of the file, and its place. */
interface Word {
  readonly who: WhoConfig;
  readonly text: string;
  readonly path: KeyPath;
}

function words(map: PlainMap, key: string, path: KeyPath): readonly Word[] {
  return listAt(map, key).flatMap((text, position) => {
    const who = typeof text === 'string' ? valueOrError(() => parseWho(text)) : undefined;
    if (typeof text !== 'string' || who === undefined || who instanceof ValueError) return [];
    return [{ who, text, path: [...path, position] }];
  });
}

function checkMember(word: Word, named: Named): ConfigProblem | undefined {
  // Whether a rule is for every client must be plain from the rule: pings and the start block depend on it.
  if (word.who.kind === 'anonymous')
    return {
      path: word.path,
      message: 'expected clients that log in; "anonymous" belongs into the rule itself',
    };
  if (word.who.kind !== 'group') return checkWord(word, named);
  return { path: word.path, message: `expected no group inside a group, got ${shown(word.text)}` };
}

function checkWord({ who, text, path }: Word, named: Named): ConfigProblem | undefined {
  const expected = lacking(who, named);
  if (expected === undefined) return undefined;
  return { path, message: `expected ${expected}, got ${shown(text)}` };
}

/** Returns what a word needs and the file does not have. */
function lacking(who: WhoConfig, { hasUsers, groups, issuers }: Named): string | undefined {
  switch (who.kind) {
    case 'user':
      return hasUsers ? undefined : 'access.users, the file with the users';
    case 'group':
      return missingGroup(who.name, groups, issuers);
    case 'oidc':
      return Object.hasOwn(issuers, who.issuer)
        ? undefined
        : oneOf('an issuer of access.oidc', who.issuer, issuers);
    case 'serviceaccount':
      return Object.values(issuers).some((issuer) => isPlainMap(issuer) && issuer['serviceAccounts'] === true)
        ? undefined
        : 'an issuer in access.oidc with "serviceAccounts: true"';
    default:
      return undefined;
  }
}

function missingGroup(name: string, groups: readonly string[], issuers: PlainMap): string | undefined {
  if (groups.includes(name)) return undefined;
  const colon = name.indexOf(':');
  if (colon === -1)
    return oneOf('a group of access.groups', name, Object.fromEntries(groups.map((group) => [group, 0])));
  const issuer = name.slice(0, colon);
  if (!Object.hasOwn(issuers, issuer))
    return oneOf('an issuer of access.oidc before the colon', issuer, issuers);
  const entry = issuers[issuer];
  if (isPlainMap(entry) && entry['groups'] !== undefined) return undefined;
  return `access.oidc.${formatKey(issuer)}.groups, the claim with the groups`;
}

/** Names what is there, and what was most likely meant. */
function oneOf(kind: string, written: string, there: PlainMap): string {
  const names = Object.keys(there);
  const meant = nearest(written, names);
  if (meant !== undefined) return `${kind} (did you mean ${formatKey(meant)}?)`;
  return names.length === 0 ? `${kind}, which has none` : `${kind}, ${alternatives(names.map(formatKey))}`;
}
