import type { JWTPayload } from 'jose';
import { isJsonObject } from '../../oci/documents/json.ts';
import { ACTIONS, type Action } from '../action.ts';
import { CATALOG, type Grant, type Identity } from '../identity.ts';
import { ANONYMOUS, formatPrincipal, type Principal, type ServiceAccount } from '../principal.ts';

/** What a token of Larder's own proves. */
export interface GrantedIdentity extends Identity {
  readonly grant: Grant;
}

/** One member of the claim `access` (distribution's token specification, "JWT"). */
type Access =
  | { readonly type: 'repository'; readonly name: string; readonly actions: readonly string[] }
  | { readonly type: 'registry'; readonly name: 'catalog'; readonly actions: readonly ['*'] };

/** What the claims of a token say. */
export interface Claimed {
  readonly identity: GrantedIdentity;
  /** As in Verified: of the credentials that the token was issued for. */
  readonly proof: string | undefined;
}

/** Writes an identity, and what proved it, into claims. */
export function toClaims({ identity: { principal, grant }, proof }: Claimed): JWTPayload {
  return { sub: formatPrincipal(principal), principal, proof, access: [...grant].map(toAccess) };
}

/**
 * Reads the claims of a token whose signature is right.
 * @returns undefined if they say anything that this version does not write
 */
export function readClaims({ principal, proof, access }: JWTPayload): Claimed | undefined {
  const who = readPrincipal(principal);
  const grant = readGrant(access);
  if (who === undefined || grant === undefined) return undefined;
  if (proof !== undefined && !isText(proof)) return undefined;
  return { identity: { principal: who, grant }, proof };
}

function toAccess([name, actions]: readonly [string, ReadonlySet<Action>]): Access {
  if (name === CATALOG) return { type: 'registry', name: 'catalog', actions: ['*'] };
  return { type: 'repository', name, actions: [...actions] };
}

function readGrant(access: unknown): Grant | undefined {
  if (!Array.isArray(access)) return undefined;
  const entries = access.map(readAccess);
  return entries.includes(undefined) ? undefined : new Map(entries.filter((entry) => entry !== undefined));
}

function readAccess(value: unknown): [string, ReadonlySet<Action>] | undefined {
  if (!isJsonObject(value)) return undefined;
  const { type, name, actions } = value;
  if (type === 'registry' && name === 'catalog') return [CATALOG, new Set(['tags'] as const)];
  if (type !== 'repository' || typeof name !== 'string' || name === CATALOG) return undefined;
  return isListOf(isAction, actions) ? [name, new Set(actions)] : undefined;
}

function readPrincipal(value: unknown): Principal | undefined {
  if (!isJsonObject(value)) return undefined;
  const { kind, name } = value;
  switch (kind) {
    case 'anonymous':
      return ANONYMOUS;
    case 'user':
    case 'token':
      return typeof name === 'string' ? { kind, name } : undefined;
    case 'oidc':
      return readSubject(value);
    default:
      return undefined;
  }
}

function readSubject(value: Readonly<Record<string, unknown>>): Principal | undefined {
  const { issuer, subject, groups, serviceAccount } = value;
  if (typeof issuer !== 'string' || typeof subject !== 'string' || !isListOf(isText, groups))
    return undefined;
  if (serviceAccount === undefined) return { kind: 'oidc', issuer, subject, groups };
  if (!isServiceAccount(serviceAccount)) return undefined;
  const { namespace, name } = serviceAccount;
  return { kind: 'oidc', issuer, subject, groups, serviceAccount: { namespace, name } };
}

function isServiceAccount(value: unknown): value is ServiceAccount {
  return isJsonObject(value) && typeof value['namespace'] === 'string' && typeof value['name'] === 'string';
}

function isAction(value: unknown): value is Action {
  return ACTIONS.some((action) => action === value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isListOf<T>(isMember: (value: unknown) => value is T, list: unknown): list is readonly T[] {
  return Array.isArray(list) && list.every(isMember);
}
