import { parseServiceAccount } from '../../access/oidc/service-account.ts';
import { ANONYMOUS, type Principal } from '../../access/principal.ts';
import type { Config } from '../../config/config.ts';
import { parseWho, type WhoConfig } from '../../config/values/access/who.ts';
import { ValueError, valueOrError } from '../../config/values/value-error.ts';
import { OperatorError } from '../../operator/error.ts';
import { quoted } from '../../text/quoted.ts';

/** `--as` of a command line. */
export interface NamedPrincipal {
  /** A word as rules have it, without `*`: `user:alice`, `oidc:github:SUBJECT`. */
  readonly word: string;
  /** The groups that the issuer's token would name, with the issuer's name before them or without. */
  readonly groups: readonly string[];
}

/** Those words of rules that mean one client. */
const ONE_CLIENT =
  'expected one client: anonymous, user:NAME, token:NAME, oidc:ISSUER:SUBJECT or serviceaccount:NAMESPACE/NAME';

/**
 * Returns the client that a word names.
 * @throws OperatorError `invalid`
 */
export function principalOf({ word, groups }: NamedPrincipal, { access }: Pick<Config, 'access'>): Principal {
  const who = valueOrError(() => parseWho(word));
  // Not the error's own words: they list what rules take, which is more.
  if (who instanceof ValueError) throw invalid(word, ONE_CLIENT);
  if (word.includes('*')) throw invalid(word, 'expected one client, without "*"');
  const issuers = access?.oidc ?? {};
  if (groups.length > 0 && who.kind !== 'oidc' && who.kind !== 'serviceaccount')
    throw invalid(
      word,
      'expected oidc or serviceaccount beside --group, since only tokens of issuers name groups',
    );
  switch (who.kind) {
    case 'anonymous':
      return ANONYMOUS;
    case 'user':
    case 'token':
      return who;
    case 'oidc':
      return subjectOf(who, word, groups, issuers);
    case 'serviceaccount':
      return serviceAccountOf(who, word, groups, issuers);
    default:
      throw invalid(word, ONE_CLIENT);
  }
}

type Issuers = NonNullable<Config['access']>['oidc'];

type Of<Kind> = Extract<WhoConfig, { readonly kind: Kind }>;

function subjectOf(
  { issuer, subject }: Of<'oidc'>,
  word: string,
  groups: readonly string[],
  issuers: Issuers,
): Principal {
  if (subject === '*') throw invalid(word, 'expected oidc:ISSUER:SUBJECT');
  const entry = Object.hasOwn(issuers, issuer) ? issuers[issuer] : undefined;
  if (entry === undefined) throw invalid(word, `expected an issuer of access.oidc, got ${quoted(issuer)}`);
  const serviceAccount = entry.serviceAccounts ? parseServiceAccount(subject) : undefined;
  if (entry.serviceAccounts && serviceAccount === undefined)
    throw invalid(
      word,
      `expected a subject such as system:serviceaccount:NAMESPACE:NAME, as ${issuer} has them`,
    );
  return {
    kind: 'oidc',
    issuer,
    subject,
    groups: groups.map((group) => named(issuer, group)),
    serviceAccount,
  };
}

function serviceAccountOf(
  { namespace, name }: Of<'serviceaccount'>,
  word: string,
  groups: readonly string[],
  issuers: Issuers,
): Principal {
  const [issuer] = Object.entries(issuers).flatMap(([key, entry]) => (entry.serviceAccounts ? [key] : []));
  if (issuer === undefined)
    throw invalid(word, 'expected an issuer in access.oidc with "serviceAccounts: true"');
  const subject = `system:serviceaccount:${namespace}:${name}`;
  return subjectOf({ kind: 'oidc', issuer, subject }, word, groups, issuers);
}

function named(issuer: string, group: string): string {
  return group.startsWith(`${issuer}:`) ? group : `${issuer}:${group}`;
}

function invalid(word: string, expected: string): OperatorError {
  return new OperatorError('invalid', `--as ${quoted(word)}: ${expected}`);
}
