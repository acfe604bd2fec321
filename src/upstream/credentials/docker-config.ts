import type { Clock } from '../../clock.ts';
import { isJsonObject, type JsonObject } from '../../oci/documents/json.ts';
import { CredentialError, credentialsOf, type Credentials, type CredentialSource } from './credentials.ts';
import { helperSource } from './helper.ts';
import { readSmallFile } from './read-small-file.ts';
import { hostOfKey, serverKeys } from './server-key.ts';
import type { RegistryIdentity } from './source.ts';

const MAX_BYTES = 1024 * 1024;

/** The entry of a config.json for one registry. */
export type DockerEntry =
  | { readonly kind: 'credentials'; readonly credentials: Credentials }
  /** The name of a helper program, without `docker-credential-`. */
  | { readonly kind: 'helper'; readonly name: string };

/**
 * Reads accounts from Docker's config.json (https://docs.docker.com/reference/cli/docker/login/): by the registry's
 * entry in `credHelpers`, else by `credsStore`, else from `auths`. It is read at each use, so that `docker login`
 * counts at once.
 */
export function dockerConfigSource(path: string, registry: RegistryIdentity, clock: Clock): CredentialSource {
  const helpers = new Map<string, CredentialSource>();
  const helperOf = (name: string): CredentialSource => {
    const known = helpers.get(name) ?? helperSource(name, registry, clock);
    helpers.set(name, known);
    return known;
  };
  return {
    async get(signal) {
      const entry = findEntry(parseDockerConfig(await readSmallFile(path, MAX_BYTES), path), registry);
      return entry?.kind === 'helper' ? helperOf(entry.name).get(signal) : entry?.credentials;
    },
    invalidate() {
      for (const helper of helpers.values()) helper.invalidate();
    },
  };
}

/** @throws CredentialError if the text is no JSON object */
export function parseDockerConfig(text: string, path: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // The message of JSON.parse would show a piece of the file, and the file holds passwords.
  }
  throw new CredentialError(`${path} is not a JSON object`);
}

/** Finds the registry's entry; returns undefined if the file has none. */
export function findEntry(config: JsonObject, registry: RegistryIdentity): DockerEntry | undefined {
  const keys = serverKeys(registry);
  const helper = keys.map((key) => member(config['credHelpers'], key)).find(isName);
  if (helper !== undefined) return { kind: 'helper', name: helper };
  const { credsStore } = config;
  if (isName(credsStore)) return { kind: 'helper', name: credsStore };
  const credentials = credentialsIn(config['auths'], keys);
  return credentials === undefined ? undefined : { kind: 'credentials', credentials };
}

function credentialsIn(auths: unknown, keys: readonly string[]): Credentials | undefined {
  if (!isJsonObject(auths)) return undefined;
  const hosts = new Set(keys.map(hostOfKey));
  const others = Object.keys(auths).filter((key) => hosts.has(hostOfKey(key)));
  for (const key of [...keys, ...others]) {
    const credentials = credentialsOfAuth(member(auths, key));
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

/** Reads `identitytoken`, else `auth` (base64 of `user:password`), else `username` and `password`. */
function credentialsOfAuth(auth: unknown): Credentials | undefined {
  if (!isJsonObject(auth)) return undefined;
  const { identitytoken, auth: encoded, username, password } = auth;
  if (isName(identitytoken)) return { kind: 'identity-token', token: identitytoken };
  if (isName(encoded)) return decodeAuth(encoded);
  return isName(username) && isName(password) ? credentialsOf(username, password) : undefined;
}

function decodeAuth(encoded: string): Credentials | undefined {
  const pair = Buffer.from(encoded, 'base64').toString();
  const colon = pair.indexOf(':');
  // Docker itself cuts the NULs that old versions wrote behind the password.
  return colon > 0
    ? credentialsOf(pair.slice(0, colon), pair.slice(colon + 1).replace(/\0+$/, ''))
    : undefined;
}

function member(object: unknown, key: string): unknown {
  return isJsonObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
