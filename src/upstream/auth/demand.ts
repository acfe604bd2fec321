import type { Challenge } from '../../http/challenge.ts';
import { parseRealm } from './realm.ts';

/** The authorization that a host demands: the challenge that was chosen, parsed. */
export type AuthDemand = { readonly scheme: 'basic' } | BearerDemand;

export interface BearerDemand {
  readonly scheme: 'bearer';
  readonly realm: URL;
  /** Undefined if the challenge names none, as at NVCR. */
  readonly service: string | undefined;
  /** The challenge separates them by spaces. */
  readonly scopes: readonly string[];
}

/** Most scopes of a demand: more than any registry asks for. A longer list is cut. */
const MAX_SCOPES = 16;

/**
 * Chooses the strongest challenge that Larder can meet: Bearer before Basic. Returns undefined if there is none
 * (Digest, Negotiate, a Bearer without a usable realm).
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
 * Adds the scope `repository:<name>:pull` to a demand, unless its challenge already names a repository: a registry
 * behind a rewriting proxy knows its own names better, and Docker Hub accepts one scope a token
 * (docker/hub-feedback#2215). The challenge's own scopes stay as they are (public.ecr.aws wants the literal `aws`).
 */
export function withPullScope(demand: BearerDemand, repository: string | undefined): BearerDemand {
  if (repository === undefined || demand.scopes.some(isRepositoryScope)) return demand;
  return { ...demand, scopes: [...demand.scopes, `repository:${repository}:pull`] };
}

/**
 * Removes the scopes of repositories from a demand. The rest is all that the challenge of a ping, or of another
 * repository, says about this one: GHCR's ping names the placeholder `repository:user/image:pull`.
 */
export function withoutRepositoryScopes(demand: AuthDemand): AuthDemand {
  if (demand.scheme === 'basic') return demand;
  return { ...demand, scopes: demand.scopes.filter((scope) => !isRepositoryScope(scope)) };
}

/** Whether both demands lead to the same request to the same token endpoint. */
export function isSameDemand(a: AuthDemand, b: AuthDemand): boolean {
  if (a.scheme === 'basic' || b.scheme === 'basic') return a.scheme === b.scheme;
  const isSameEndpoint = a.realm.href === b.realm.href && a.service === b.service;
  return isSameEndpoint && a.scopes.toSorted().join(' ') === b.scopes.toSorted().join(' ');
}

/**
 * Whether the scope is a repository's: `repository:name:actions` or `repository(class):name:actions` (distribution).
 */
function isRepositoryScope(scope: string): boolean {
  return /^repository(?:\([^)]*\))?:/.test(scope);
}

/**
 * Whether the challenge says that a token is good but grants too little, although all scopes that the challenge names
 * were requested: then a new token will grant no more. Docker Hub says this for private and for missing repositories.
 */
export function isInsufficientScope(challenges: readonly Challenge[], granted: readonly string[]): boolean {
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer?.params.get('error') !== 'insufficient_scope') return false;
  return splitScopes(bearer.params.get('scope')).every((scope) => granted.includes(scope));
}
