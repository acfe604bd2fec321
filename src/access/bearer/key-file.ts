import { readFile, rename } from 'node:fs/promises';
import { importJWK, type CryptoKey, type JWK } from 'jose';
import { isJsonObject } from '../../oci/documents/json.ts';
import { unlessMissing } from '../missing-file.ts';
import { writePrivateFile } from '../private-file.ts';

/** Elliptic curve P-256 with SHA-256 (RFC 7518): its signatures are short, and every jose can make them. */
export const ALGORITHM = 'ES256';

/** A key pair of Larder's own. */
export interface SigningKey {
  /** The name of the key in the tokens that it signs. */
  readonly kid: string;
  /** When the key was made, milliseconds since the epoch. */
  readonly createdAt: number;
  /** The private half, for the file. */
  readonly jwk: JWK;
  readonly key: CryptoKey;
}

/** What the file of keys holds. */
export interface StoredKeys {
  /** The random name of this cache directory, which the claim `iss` of its tokens carries. */
  readonly id: string;
  /** The newest last. */
  readonly keys: readonly SigningKey[];
}

/**
 * Reads the file of keys.
 * @returns undefined if there is none
 * @throws Error if it cannot be read, or holds anything else
 */
export async function readKeys(path: string): Promise<StoredKeys | undefined> {
  const text = await unlessMissing(readFile(path, 'utf8'));
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new Error('expected an object');
  const { id, keys } = value;
  if (typeof id !== 'string' || id === '' || !Array.isArray(keys))
    throw new Error('expected `id` and `keys`');
  return { id, keys: await Promise.all(keys.map(readKey)) };
}

/** Writes the file of keys. @throws the system's error */
export function writeKeys(path: string, { id, keys }: StoredKeys): Promise<void> {
  const listed = keys.map(({ kid, createdAt, jwk }) => ({ kid, createdAt, jwk }));
  return writePrivateFile(path, `${JSON.stringify({ id, keys: listed }, null, 2)}\n`);
}

/**
 * Moves a damaged file of keys out of the way. It takes the place of an earlier one.
 * @returns its new path
 * @throws the system's error
 */
export async function setKeysAside(path: string): Promise<string> {
  const setAside = `${path}.damaged`;
  await rename(path, setAside);
  return setAside;
}

/** An error of JSON.parse quotes the text, which is secret. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('not JSON');
  }
}

async function readKey(value: unknown): Promise<SigningKey> {
  if (!isJsonObject(value)) throw new Error('a key is no object');
  const { kid, createdAt, jwk } = value;
  if (typeof kid !== 'string' || typeof createdAt !== 'number' || !isJsonObject(jwk)) {
    throw new Error('expected `kid`, `createdAt` and `jwk` of each key');
  }
  const key = await importJWK(jwk, ALGORITHM);
  if (key instanceof Uint8Array || key.type !== 'private') throw new Error(`the key ${kid} is not private`);
  return { kid, createdAt, jwk, key };
}
