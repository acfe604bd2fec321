import { createCipheriv, createDecipheriv } from 'node:crypto';
import { RegistryError } from '../../oci/error.ts';

/** A character that begins no repository's name, and that no query encodes. */
const MARK = '*';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes that cannot be guessed, as `randomBytes` of node:crypto gives them. */
export type RandomBytes = (size: number) => Uint8Array;

/**
 * Encrypts positions in a list, so that a client can return but not read them: if a page ends at a repository that must
 * not be shown, the link to the next page would tell its name. Cursors are valid while the process runs.
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
   * Returns the position that a cursor means; a cursor that is not sealed is the position itself.
   * @throws RegistryError PAGINATION_NUMBER_INVALID if another process has sealed it
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
