import { textLeaf, type Leaf } from '../leaf.ts';
import { ValueError } from '../value-error.ts';

/** The clients that a word of a rule means. In names, `*` stands for any characters. */
export type WhoConfig =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'user' | 'token'; readonly name: string }
  /** A list of `groups`, or a group of an issuer's claim, after the issuer's name: `github:platform`. */
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'oidc'; readonly issuer: string; readonly subject: string }
  | { readonly kind: 'serviceaccount'; readonly namespace: string; readonly name: string };

const EXPECTED =
  'anonymous, authenticated, user:NAME, group:NAME, token:NAME, oidc:ISSUER:SUBJECT or serviceaccount:NAMESPACE/NAME';

/** Long enough for the subjects of all known issuers. */
const MAX_LENGTH = 1024;

/** The name of an issuer in the configuration. It stands before a colon in the words of rules. */
export const ISSUER_NAME = /^[A-Za-z0-9][\w.-]*$/;

// A colon ends the name in a line of an htpasswd file and in Basic credentials (RFC 7617, section 2).
const NAME = /^[^:\p{Cc}]+$/u;

const GROUP = /^[^\p{Cc}]+$/u;

/** DNS names (Kubernetes, "Object Names and IDs") with stars. */
const SERVICE_ACCOUNT = /^([a-z0-9*-]+)\/([a-z0-9.*-]+)$/;

/**
 * Reads a word of a rule: `user:alice`, `oidc:github:repo:acme/*`.
 * @throws ValueError
 */
export function parseWho(text: string): WhoConfig {
  if (text === 'anonymous' || text === 'authenticated') return { kind: text };
  const colon = text.indexOf(':');
  const parsed = text.length > MAX_LENGTH ? undefined : ofKind(text.slice(0, colon), text.slice(colon + 1));
  if (colon === -1 || parsed === undefined) throw new ValueError(EXPECTED);
  return parsed;
}

function ofKind(kind: string, rest: string): WhoConfig | undefined {
  switch (kind) {
    case 'user':
    case 'token':
      if (!NAME.test(rest)) throw new ValueError(`a name without a colon after ${kind}:`);
      return { kind, name: rest };
    case 'group':
      if (!GROUP.test(rest)) throw new ValueError('a name after group:');
      return { kind, name: rest };
    case 'oidc':
      return subjectOf(rest);
    case 'serviceaccount':
      return serviceAccountOf(rest);
    default:
      return undefined;
  }
}

function subjectOf(rest: string): WhoConfig {
  const [issuer = ''] = rest.split(':', 1);
  const subject = rest === issuer ? '*' : rest.slice(issuer.length + 1);
  if (!ISSUER_NAME.test(issuer) || !GROUP.test(subject))
    throw new ValueError('oidc:ISSUER or oidc:ISSUER:SUBJECT');
  return { kind: 'oidc', issuer, subject };
}

function serviceAccountOf(rest: string): WhoConfig {
  const [, namespace, name] = SERVICE_ACCOUNT.exec(rest) ?? [];
  if (namespace === undefined || name === undefined)
    throw new ValueError('serviceaccount:NAMESPACE/NAME in lower case');
  return { kind: 'serviceaccount', namespace, name };
}

/** The inverse of `parseWho`. */
export function formatWho(who: WhoConfig): string {
  switch (who.kind) {
    case 'anonymous':
    case 'authenticated':
      return who.kind;
    case 'oidc':
      return who.subject === '*' ? `oidc:${who.issuer}` : `oidc:${who.issuer}:${who.subject}`;
    case 'serviceaccount':
      return `serviceaccount:${who.namespace}/${who.name}`;
    default:
      return `${who.kind}:${who.name}`;
  }
}

/** The clients that a rule means. */
export function who(): Leaf<WhoConfig> {
  return textLeaf({ title: 'client', expected: EXPECTED, parse: parseWho, format: formatWho });
}
