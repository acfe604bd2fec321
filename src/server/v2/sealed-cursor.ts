import { createCipheriv, createDecipheriv } from 'node:crypto';
import { RegistryError } from '../../oci/error.ts';

/** No repository's name begins with it, and no query encodes it. */
const MARK = '*';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes that cannot be guessed, as `randomBytes` of node:crypto gives them. */
export type RandomBytes = (size: number) => Uint8Array;

/**
 * Positions in a list that a client may hand back and not read: where a page ends at something that must not be shown,
 * the link to the next one would tell its name. Good for as long as the process runs.
 */
export class SealedCursors {
  readonly #random: RandomBytes;
  readonly #key: Uint8Array;

  constructor(random: RandomBytes) {
    this.#random = random;
    this.#key = random(KEY_BYTES);
  }

  /** @returns text for a query */
  seal(position: string): string {
    const nonce = this.#random(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(position, 'utf8'), cipher.final()]);
    return `${MARK}${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`;
  }

  /**
   * The position that a client means: one that was sealed, or any other as it is.
   * @throws RegistryError PAGINATION_NUMBER_INVALID where it was not sealed by this process
   */
  open(cursor: string): string {
    if (!cursor.startsWith(MARK)) return cursor;
    const bytes = Buffer.from(cursor.slice(MARK.length), 'base64url');
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      const sealed = bytes.subarray(NONCE_BYTES + TAG_BYTES);
      return decipher.update(sealed, undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new RegistryError('PAGINATION_NUMBER_INVALID', 'last is of a list that is over: begin anew');
    }
  }
}
