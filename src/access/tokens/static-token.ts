import { createHash, timingSafeEqual } from 'node:crypto';

/** What the file knows of a static token: not its secret. */
export interface StaticToken {
  /** Part of the token, and no secret: it names the token in lists and in the log. */
  readonly id: string;
  /** Rules name the token by it. Several tokens may have the same name, of which one takes over from another. */
  readonly name: string;
  /** The SHA-256 of the secret, in hex. A random secret of 256 bits needs no slow hash. */
  readonly sha256: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Milliseconds since the epoch; undefined: it never expires. */
  readonly expiresAt?: number | undefined;
}

/** The two parts of a token as its holder presents it. */
export interface PresentedToken {
  readonly id: string;
  readonly secret: string;
}

const TOKEN = /^larder_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

/** Reads `larder_<id>_<secret>`. @returns undefined if the text has another form */
export function readToken(text: string): PresentedToken | undefined {
  const [, id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Returns whether the text can be the name of a token. */
export function isTokenName(text: string): boolean {
  return NAME.test(text);
}

/**
 * Makes a token.
 * @param random returns random bytes
 * @returns the token's row for the file, and the text that its holder presents
 */
export function makeToken(
  {
    name,
    now,
    expiresAt,
  }: { readonly name: string; readonly now: number; readonly expiresAt?: number | undefined },
  random: (bytes: number) => Buffer,
): { readonly token: StaticToken; readonly text: string } {
  const id = random(6).toString('hex');
  const secret = random(32).toString('base64url');
  const token = { id, name, sha256: sha256(secret).toString('hex'), createdAt: now, expiresAt };
  return { token, text: `larder_${id}_${secret}` };
}

/** Returns whether the secret is the token's, after a time that does not depend on the difference. */
export function isSecretOf(secret: string, token: StaticToken): boolean {
  return timingSafeEqual(sha256(secret), Buffer.from(token.sha256, 'hex'));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
