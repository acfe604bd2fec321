import type { Challenge } from '../../http/challenge.ts';
import { parseRealm } from './realm.ts';

/** What a host wants to see before it answers: the challenge that was chosen, parsed. */
export type AuthDemand = { readonly scheme: 'basic' } | BearerDemand;

export interface BearerDemand {
  readonly scheme: 'bearer';
  readonly realm: URL;
  /** NVCR names none. */
  readonly service: string | undefined;
  /** Space-separated in the challenge. */
  readonly scopes: readonly string[];
}

/** Above what any registry asks for; a longer list is cut. */
const MAX_SCOPES = 16;

/**
 * The strongest challenge that Larder can meet: Bearer before Basic. Undefined where there is none (Digest,
 * Negotiate, a Bearer without a usable realm).
 */
export function chooseDemand(challenges: readonly Challenge[]): AuthDemand | undefined {
  for (const { scheme, params } of challenges) {
    const realm = scheme === 'bearer' ? parseRealm(params.get('realm')) : undefined;
    if (realm === undefined) continue;
    const service = params.get('service');
    return { scheme: 'bearer', realm, service, scopes: splitScopes(params.get('scope')) };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}

function splitScopes(scope: string | undefined): string[] {
  const scopes = (scope ?? '').split(/\s+/).filter((part) => part !== '');
  return [...new Set(scopes)].slice(0, MAX_SCOPES);
}

/**
 * The demand with all that pulling from `repository` needs. The challenge's own scopes stay as they are
 * (public.ecr.aws wants the literal `aws`); `repository:<name>:pull` is added unless the challenge already
 * names a repository: a registry behind a rewriting proxy knows its own names better, and Docker Hub takes
 * one scope a token (docker/hub-feedback#2215).
 */
export function withPullScope(demand: BearerDemand, repository: string | undefined): BearerDemand {
  if (repository === undefined || demand.scopes.some(isRepositoryScope)) return demand;
  return { ...demand, scopes: [...demand.scopes, `repository:${repository}:pull`] };
}

/**
 * The demand without scopes of a repository: what a ping's challenge, or one for another repository, says of
 * this one. GHCR's ping names the placeholder `repository:user/image:pull`.
 */
export function withoutRepositoryScopes(demand: AuthDemand): AuthDemand {
  if (demand.scheme === 'basic') return demand;
  return { ...demand, scopes: demand.scopes.filter((scope) => !isRepositoryScope(scope)) };
}

/** Whether both lead to the same question to the same token endpoint. */
export function isSameDemand(a: AuthDemand, b: AuthDemand): boolean {
  if (a.scheme === 'basic' || b.scheme === 'basic') return a.scheme === b.scheme;
  const isSameEndpoint = a.realm.href === b.realm.href && a.service === b.service;
  return isSameEndpoint && a.scopes.toSorted().join(' ') === b.scopes.toSorted().join(' ');
}

/** distribution's scope grammar: `repository:name:actions` or `repository(class):name:actions`. */
function isRepositoryScope(scope: string): boolean {
  return /^repository(?:\([^)]*\))?:/.test(scope);
}

/**
 * Whether the challenge says that a token is good but grants too little, although it was asked for everything
 * that the challenge names: then a new one will grant no more. Docker Hub says so of private and of missing
 * repositories alike.
 */
export function isInsufficientScope(challenges: readonly Challenge[], granted: readonly string[]): boolean {
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer?.params.get('error') !== 'insufficient_scope') return false;
  return splitScopes(bearer.params.get('scope')).every((scope) => granted.includes(scope));
}
