import { proofOfPassword } from '../known-principal.ts';
import type { LoginThrottle } from '../verification/login-throttle.ts';
import type { SlowChecks } from '../verification/slow-checks.ts';
import type { Verdict } from '../verification/verdict-memory.ts';
import { MAX_PASSWORD_BYTES, userProblem } from './htpasswd.ts';
import type { Users } from './users.ts';

export interface PasswordVerifierOptions {
  /** The users at present. */
  readonly users: { readonly value: Users };
  readonly checks: SlowChecks;
  readonly throttle: LoginThrottle;
}

/** Verifies users' passwords. */
export class PasswordVerifier {
  readonly #options: PasswordVerifierOptions;

  constructor(options: PasswordVerifierOptions) {
    this.#options = options;
  }

  /**
   * @param client the key of the client's address
   * @throws AccessError throttled, unavailable
   */
  async verify(user: string, password: string, client: string): Promise<Verdict> {
    const { users } = this.#options;
    // Of no user, whatever the file says. Its length is bounded, since the throttle keeps it.
    if (userProblem(user) !== undefined) return wrong('the name is none that a user can have', () => true);
    const hash = users.value.hashOf(user);
    const isRight = await this.#compare(user, password, hash ?? users.value.decoyFor(user), client);
    const stillHolds = (): boolean => users.value.hashOf(user) === hash;
    if (hash === undefined) return wrong('there is no such user', stillHolds);
    if (!isRight) return wrong('the password is wrong', stillHolds);
    const identity = { principal: { kind: 'user', name: user } } as const;
    return { verified: { identity, proof: proofOfPassword(hash) }, isOfPassword: true, stillHolds };
  }

  async #compare(user: string, password: string, hash: string, client: string): Promise<boolean> {
    const { checks, throttle } = this.#options;
    const attempt = throttle.begin(client, user);
    try {
      const isAlike = await checks.comparePassword(password, hash, client);
      // Bcrypt has compared its beginning alone.
      const isRight = isAlike && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
      if (isRight) attempt.succeeded();
      return isRight;
    } catch (error) {
      attempt.undecided();
      throw error;
    }
  }
}

function wrong(reason: string, stillHolds: () => boolean): Verdict {
  return { verified: undefined, reason, stillHolds };
}
