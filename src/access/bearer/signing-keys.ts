import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import { tolerate } from '../../tolerate.ts';
import {
  ALGORITHM,
  readKeys,
  setKeysAside,
  writeKeys,
  type SigningKey,
  type StoredKeys,
} from './key-file.ts';

const DAY_MS = 24 * 60 * 60_000;

/** The age at which a key is followed by a new one. */
const ROTATE_AFTER_MS = 30 * DAY_MS;

export interface SigningKeysOptions {
  /** The file of the keys. The cache directory that it is in has one owner, so no other process writes it. */
  readonly path: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly events: Events;
  /** Makes the name of a cache directory that has none yet. */
  readonly newId: () => string;
  /** The longest that a token is valid, milliseconds: so long a key verifies after it has stopped to sign. */
  readonly tokenMs: number;
}

/** The keys of Larder's own tokens. The first one is made when the first token is issued. */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  #stored: StoredKeys;
  #renewing: Promise<SigningKey> | undefined;

  private constructor(options: SigningKeysOptions, stored: StoredKeys) {
    this.#options = options;
    this.#stored = stored;
  }

  /**
   * Reads the keys. A file that cannot be used is set aside: its tokens end, and clients get new ones.
   * Never rejects on a fault of the file or the disk: it is told as an event.
   */
  static async open(options: SigningKeysOptions): Promise<SigningKeys> {
    const stored = await readKeys(options.path).catch((error: unknown) => replaced(options, error));
    return new SigningKeys(options, stored ?? { id: options.newId(), keys: [] });
  }

  /** The claim `iss` of the tokens. */
  get issuer(): string {
    return `larder:${this.#stored.id}`;
  }

  /** Returns the key that signs now. */
  async signing(): Promise<SigningKey> {
    const newest = this.#stored.keys.at(-1);
    if (newest !== undefined && !this.#isOld(newest)) return newest;
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  /** The public halves of the keys that may have signed a token that is still valid. */
  get verifying(): JSONWebKeySet {
    return { keys: this.#used().map(({ kid, jwk }) => publicHalf(kid, jwk)) };
  }

  /** A key from the future is old too: the clock was wrong when it was made, and could stay so for years. */
  #isOld({ createdAt }: SigningKey): boolean {
    const ageMs = this.#options.clock.now() - createdAt;
    return ageMs >= ROTATE_AFTER_MS || ageMs <= -DAY_MS;
  }

  async #renew(): Promise<SigningKey> {
    const { events, path, clock } = this.#options;
    const key = await newKey(clock.now());
    this.#stored = { ...this.#stored, keys: [...this.#used(), key] };
    // A key that is only in memory serves as well, until the program ends.
    await tolerate(events, `write ${path}`, () => writeKeys(path, this.#stored));
    return key;
  }

  /** The newest key, and those before it whose last token may still be valid. */
  #used(): readonly SigningKey[] {
    const { keys } = this.#stored;
    const now = this.#options.clock.now();
    return keys.filter((_, i) => {
      const next = keys[i + 1];
      return next === undefined || now < next.createdAt + this.#options.tokenMs;
    });
  }
}

async function replaced({ path, events }: SigningKeysOptions, error: unknown): Promise<undefined> {
  const setAside = await tolerate(events, `set ${path} aside`, () => setKeysAside(path));
  if (setAside !== undefined) events.emit({ kind: 'keys-replaced', setAside, error });
}

async function newKey(createdAt: number): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { kid: await calculateJwkThumbprint(jwk), createdAt, jwk, key: privateKey };
}

function publicHalf(kid: string, { kty, crv, x, y }: JWK): JWK {
  return {
    kid,
    alg: ALGORITHM,
    use: 'sig',
    ...(kty !== undefined && { kty }),
    ...(crv !== undefined && { crv }),
    ...(x !== undefined && { x }),
    ...(y !== undefined && { y }),
  };
}
