import type { JWTPayload } from 'jose';
import { escapeControls } from '../../text/controls.ts';
import { quoted } from '../../text/quoted.ts';
import type { Principal } from '../principal.ts';
import { matchesWildcard } from '../wildcard.ts';
import { parseServiceAccount } from './service-account.ts';
import type { OidcSettings } from './settings.ts';

/** What the claims of a token prove, or why they prove nothing: in words for the log, without a claim's value. */
export type ProvedClaims =
  | {
      readonly principal: Principal;
      /** The claim `exp`, milliseconds since the epoch. */
      readonly expiresAt: number;
    }
  | { readonly problem: string };

/** Longest subject and group: real ones of GitLab and Azure stay far below it. */
const MAX_NAME_LENGTH = 1024;

/** Most groups of one token. Azure puts at most 200 into one. */
const MAX_GROUPS = 256;

/** Decides what the claims of a token prove whose signature, issuer and audience are right already. */
export function readClaims(claims: JWTPayload, settings: OidcSettings): ProvedClaims {
  const { exp, sub } = claims;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return { problem: 'has no claim exp' };
  if (!isName(sub)) return { problem: 'has no claim sub that can name a subject' };
  const missed = Object.entries(settings.claims).find(([name, pattern]) => !holds(claims, name, pattern));
  if (missed !== undefined) return { problem: `has another claim ${quoted(missed[0])} than is configured` };
  const groups = groupsOf(claims, settings);
  if (groups === undefined)
    return { problem: `names no groups in the claim ${quoted(settings.groups ?? '')}` };
  const principal = principalOf(sub, groups, settings);
  if (principal === undefined) return { problem: 'names no service account in the claim sub' };
  return { principal, expiresAt: exp * 1000 };
}

/**
 * Whether a claim is what the pattern stands for. Issuers write the same fact as a boolean, as a number or as a text
 * (GitLab: `"ref_protected": "true"`), so all of these are compared as texts. Of a list, one element is enough.
 */
function holds(claims: JWTPayload, name: string, pattern: string): boolean {
  const claim = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return (Array.isArray(claim) ? claim : [claim]).some(
    (value: unknown) => isPlain(value) && matchesWildcard(pattern, String(value)),
  );
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/**
 * Returns the groups of the configured claim, each with the issuer's name before it; no claim means no groups.
 * @returns undefined if one cannot be a group, or there are too many. To leave one out would lift a rule that denies it
 *   something.
 */
function groupsOf(claims: JWTPayload, { name, groups }: OidcSettings): readonly string[] | undefined {
  const claim = groups !== undefined && Object.hasOwn(claims, groups) ? (claims[groups] ?? []) : [];
  const listed: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  if (listed.length > MAX_GROUPS || !listed.every(isName)) return undefined;
  return listed.map((group) => `${name}:${group}`);
}

function principalOf(
  subject: string,
  groups: readonly string[],
  { name, serviceAccounts }: OidcSettings,
): Principal | undefined {
  const principal = { kind: 'oidc', issuer: name, subject, groups } as const;
  if (!serviceAccounts) return principal;
  const serviceAccount = parseServiceAccount(subject);
  return serviceAccount && { ...principal, serviceAccount };
}

/** Whether a text can name a subject or a group: one with controls could pass for another one in the log. */
function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_NAME_LENGTH &&
    escapeControls(value) === value
  );
}
