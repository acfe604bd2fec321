import { createHash } from 'node:crypto';
import { costOf, DEFAULT_COST, parseHtpasswd } from './htpasswd.ts';

/** The users of an htpasswd file. */
export class Users {
  /** The bcrypt hash of each user's password, by the user's name. */
  readonly hashes: ReadonlyMap<string, string>;
  /** One for each user. */
  readonly #costs: readonly number[];

  constructor(hashes: ReadonlyMap<string, string>) {
    this.hashes = hashes;
    this.#costs = [...hashes.values()].map(costOf);
  }

  /** Returns the bcrypt hash of the user's password; undefined: there is no such user. */
  hashOf(name: string): string | undefined {
    return this.hashes.get(name);
  }

  /**
   * Returns a hash that no password has, to be compared for a user that is unknown: so that the time of an answer does
   * not tell which users there are. Its cost is that of one of the users, always the same one for a name.
   */
  decoyFor(name: string): string {
    const chosen =
      createHash('sha256').update(name).digest().readUInt32BE() % Math.max(1, this.#costs.length);
    const cost = String(this.#costs[chosen] ?? DEFAULT_COST).padStart(2, '0');
    return `$2b$${cost}$${'.'.repeat(53)}`;
  }
}

export const NO_USERS = new Users(new Map());

/** @throws Error that names each line of the file that cannot be used */
export function parseUsers(path: string, text: string): Users {
  const { hashes, problems } = parseHtpasswd(text);
  if (problems.length === 0) return new Users(hashes);
  const shown = problems.slice(0, 10).map(({ line, message }) => `${path}:${line}: ${message}`);
  const more = problems.length - shown.length;
  throw new Error([...shown, ...(more > 0 ? [`and ${more} more lines`] : [])].join('; '));
}
