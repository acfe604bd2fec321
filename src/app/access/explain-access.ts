import { matcherOf } from '../../config/values/glob.ts';
import type { Action } from '../../access/action.ts';
import type { Place } from '../../access/identity.ts';
import { formatPrincipal, type Principal } from '../../access/principal.ts';
import type { Config } from '../../config/config.ts';
import type { KeyPath } from '../../config/config-problem.ts';
import { formatWho } from '../../config/values/access/who.ts';
import { OperatorError } from '../../operator/error.ts';
import { formatRepositoryKey, parseSelectors } from '../../operator/selector.ts';
import { quoted } from '../../text/quoted.ts';
import { rulesOf } from './access-rules.ts';

/** What is asked: may this client do this there? */
export interface AccessQuestion {
  readonly principal: Principal;
  readonly action: Action;
  /** Undefined: what concerns no repository, such as the metrics. */
  readonly place: Place | undefined;
}

/** A rule, and what it means of the question. */
export interface ExplainedRule {
  /** Its position from 1, or `anonymous`: the key of this name, which comes last. */
  readonly rule: number | 'anonymous';
  /** Its line in the file. */
  readonly line: number;
  /** The rule as YAML has it. */
  readonly text: string;
  readonly isAboutRepository: boolean;
  readonly isAboutClient: boolean;
}

export interface Explanation {
  readonly isAllowed: boolean;
  readonly client: string;
  readonly action: Action;
  readonly repository: string | undefined;
  /** Whether the upstream's `allow` and `deny` let the repository be served to anyone. */
  readonly isServed: boolean;
  /** Whether there is a section `access`; if not, every client may pull. */
  readonly hasAccess: boolean;
  /** The rules up to the one that decides; if that is none of them, all. */
  readonly considered: readonly ExplainedRule[];
}

/**
 * Explains what the configuration decides. It says what a server says that runs by the same file.
 * @param lineOf returns the line of a value of the file
 */
export function explainAccess(
  config: Config,
  { principal, action, place }: AccessQuestion,
  lineOf: (keys: KeyPath) => number,
): Explanation {
  const rules = rulesOf(config);
  const isServed = place === undefined || serves(config, place);
  const considered = rules.consider(principal, place).map(({ isAboutPlace, isAboutPrincipal }, position) => ({
    ...describe(config, position, lineOf),
    isAboutRepository: isAboutPlace,
    isAboutClient: isAboutPrincipal,
  }));
  return {
    isAllowed: rules.decide(principal, action, place).isAllowed && isServed,
    client: formatPrincipal(principal),
    action,
    repository: place && `${place.registry}/${place.repository}`,
    isServed,
    hasAccess: config.access !== undefined,
    considered: config.access === undefined ? [] : considered,
  };
}

/**
 * Returns the place of a repository that an operator names: `debian`, `ghcr.io/acme/app:1`.
 * @throws OperatorError `invalid`
 */
export function placeOf(text: string, config: Config): Place {
  const [selector] = parseSelectors(text, config);
  if (selector === undefined || selector.kind === 'digest')
    throw new OperatorError('invalid', `${quoted(text)}: expected a repository, since rules are about these`);
  const { key } = selector;
  if (config.upstreams.some(({ name }) => name === key.registry)) return key;
  throw new OperatorError(
    'invalid',
    `${formatRepositoryKey(key)}: there is no upstream ${quoted(key.registry)}`,
  );
}

function serves({ upstreams }: Config, { registry, repository }: Place): boolean {
  const upstream = upstreams.find(({ name }) => name === registry);
  if (upstream === undefined) return false;
  return matcherOf(upstream.allow)(repository) && !matcherOf(upstream.deny)(repository);
}

function describe(
  { access }: Config,
  position: number,
  lineOf: (keys: KeyPath) => number,
): Pick<ExplainedRule, 'rule' | 'line' | 'text'> {
  const rule = access?.rules[position];
  if (rule === undefined) {
    const text = `anonymous: [${(access?.anonymous ?? []).join(', ')}]`;
    return { rule: 'anonymous', line: lineOf(['access', 'anonymous']), text };
  }
  const globs = rule.repositories.map((glob) => JSON.stringify(glob)).join(', ');
  const who = rule.who.map((word) => quotedWord(formatWho(word))).join(', ');
  const text = `{ repositories: [${globs}], who: [${who}], allow: [${rule.allow.join(', ')}] }`;
  return { rule: position + 1, line: lineOf(['access', 'rules', position]), text };
}

/** Quotes a word as YAML needs it. */
function quotedWord(word: string): string {
  return /^\w+$/.test(word) ? word : JSON.stringify(word);
}
