import type { Principal } from '../principal.ts';
import { matchesWildcard } from '../wildcard.ts';

/** The principals that a rule, or a group's list, means. In patterns, `*` stands for any characters. */
export type Who =
  /** Every client: those with credentials too, since they could leave them out. */
  | { readonly kind: 'anonymous' }
  /** Every client with valid credentials. */
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'user' | 'token'; readonly name: string }
  /** A list of the configuration, or a group of an issuer's claim, also as a pattern: `github:platform`. */
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'oidc'; readonly issuer: string; readonly subject: string }
  | { readonly kind: 'serviceaccount'; readonly namespace: string; readonly name: string };

/** The members of each group that the configuration lists, by the group's name. None of them is a group. */
export type Groups = ReadonlyMap<string, readonly Who[]>;

/** Returns whether `who` means the principal. */
export function means(who: Who, principal: Principal, groups: Groups): boolean {
  switch (who.kind) {
    case 'anonymous':
      return true;
    case 'authenticated':
      return principal.kind !== 'anonymous';
    case 'user':
    case 'token':
      return principal.kind === who.kind && matchesWildcard(who.name, principal.name);
    case 'group':
      return isMember(who.name, principal, groups);
    case 'oidc':
      return (
        principal.kind === 'oidc' &&
        principal.issuer === who.issuer &&
        matchesWildcard(who.subject, principal.subject)
      );
    case 'serviceaccount':
      return isServiceAccount(who, principal);
  }
}

function isMember(group: string, principal: Principal, groups: Groups): boolean {
  if (principal.kind === 'oidc' && principal.groups.some((name) => matchesWildcard(group, name))) return true;
  return (groups.get(group) ?? []).some((member) => means(member, principal, groups));
}

function isServiceAccount(who: Who & { readonly kind: 'serviceaccount' }, principal: Principal): boolean {
  if (principal.kind !== 'oidc' || principal.serviceAccount === undefined) return false;
  const { namespace, name } = principal.serviceAccount;
  return matchesWildcard(who.namespace, namespace) && matchesWildcard(who.name, name);
}
