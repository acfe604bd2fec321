import type { JSONWebKeySet, JWK } from 'jose';
import { isJsonObject, type JsonObject } from '../../oci/documents/json.ts';
import { IssuerError } from './issuer-error.ts';
import { readJson } from './read-json.ts';

/** Most keys of one issuer. Real ones have two or three, or a dozen. */
const MAX_KEYS = 100;

/** Longest member of a key in characters: the modulus of an RSA key of 8192 bits. Verifying by a larger key takes long. */
const MAX_MEMBER_LENGTH = 1366;

/** Longest exponent of an RSA key in characters: 32 bits. The usual one, 65537, has four. */
const MAX_EXPONENT_LENGTH = 6;

interface KeyType {
  /** The signature algorithms that it serves (RFC 7518 §3.1, RFC 8037, RFC 9864). */
  readonly algorithms: readonly string[];
  /** The members that make its public key (RFC 7518 §6, RFC 8037 §2). */
  readonly members: readonly string[];
}

/** By type and curve. */
const KEY_TYPES: ReadonlyMap<string, KeyType> = new Map([
  ['RSA', { algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'], members: ['n', 'e'] }],
  ['EC P-256', { algorithms: ['ES256'], members: ['crv', 'x', 'y'] }],
  ['EC P-384', { algorithms: ['ES384'], members: ['crv', 'x', 'y'] }],
  ['EC P-521', { algorithms: ['ES512'], members: ['crv', 'x', 'y'] }],
  ['OKP Ed25519', { algorithms: ['EdDSA', 'Ed25519'], members: ['crv', 'x'] }],
]);

/**
 * The algorithms that are accepted of an issuer: those by which it alone can sign. With a shared secret (HS256), each
 * party that verifies could sign as well.
 */
export const ALGORITHMS: readonly string[] = [...KEY_TYPES.values()].flatMap(({ algorithms }) => algorithms);

/**
 * Reads the keys by which an issuer signs (RFC 7517 §5). Keys that serve something else are left out.
 * @throws IssuerError
 */
export function readKeySet(bytes: Uint8Array): JSONWebKeySet {
  const { keys } = readJson(bytes, 'its key set');
  if (!Array.isArray(keys)) throw new IssuerError('its key set has no keys');
  if (keys.length > MAX_KEYS) throw new IssuerError(`its key set has more than ${MAX_KEYS} keys`);
  const usable = keys.flatMap((key: unknown) => (isJsonObject(key) ? signingKey(key) : []));
  if (usable.length === 0) throw new IssuerError('its key set has no key that verifies signatures');
  return { keys: usable };
}

/** Returns the public key by which signatures are verified; an empty list if the key is for something else. */
function signingKey(key: JsonObject): readonly JWK[] {
  const { kty, crv, alg, use, kid } = key;
  const type = KEY_TYPES.get(kty === 'RSA' ? kty : `${String(kty)} ${String(crv)}`);
  if (type === undefined || !isForVerifying(key)) return [];
  if (alg !== undefined && !type.algorithms.includes(alg as string)) return [];
  if (kid !== undefined && !isMember(kid)) return [];
  if (!type.members.every((name) => isMember(key[name])) || isSlow(key)) return [];
  const members = Object.fromEntries(type.members.map((name) => [name, key[name]]));
  return [{ kty: String(kty), ...onlyTexts({ ...members, alg, use, kid }) }];
}

function isSlow({ kty, e: exponent }: JsonObject): boolean {
  return kty === 'RSA' && String(exponent).length > MAX_EXPONENT_LENGTH;
}

function isForVerifying({ use, key_ops: operations }: JsonObject): boolean {
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

function isMember(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_MEMBER_LENGTH;
}

function onlyTexts(members: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
