import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../events.ts';
import { AccessError } from './access-error.ts';
import { Authenticator } from './authenticator.ts';
import { proofOfPassword } from './known-principal.ts';
import { makeToken } from './tokens/static-token.ts';
import { NO_TOKENS, type TokenList } from './tokens/token-list.ts';
import { Users } from './users/users.ts';
import type { SlowChecks } from './verification/slow-checks.ts';
import type { JwtVerifier, Verified } from './verification/verifier.ts';

const MINUTE = 60_000;
const HASH = (name: string): string => `$2y$04$${name.padEnd(53, '.')}`;

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function jwt(issuer: string, id = ''): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'ES256' })}.${part({ iss: issuer, jti: id })}.c2ln`;
}

/** Compares without bcrypt: the password of a hash is what it would be if it were the user's name. */
class CountedChecks implements Pick<SlowChecks, 'comparePassword'> {
  compared: string[] = [];
  gate = Promise.resolve();
  async comparePassword(password: string, hash: string): Promise<boolean> {
    this.compared.push(hash);
    await this.gate;
    if (password === 'broken') throw new AccessError('unavailable', 'broken');
    return hash === HASH(password);
  }
}

const AT_A = (): string => 'a';

describe('the authenticator', () => {
  let clock: ManualClock;
  let checks: CountedChecks;
  let failed: (LarderEvent & { kind: 'login-failed' })[];
  let users: { value: Users };
  let tokens: { value: TokenList };
  let verified: Verified | AccessError;
  let verifications: number;
  let authenticator: Authenticator;

  beforeEach(() => {
    clock = new ManualClock();
    checks = new CountedChecks();
    failed = [];
    const events = createEvents();
    events.subscribe((event) => {
      if (event.kind === 'login-failed') failed.push(event);
    });
    users = { value: new Users(new Map(['alice', 'bob'].map((name) => [name, HASH(name)]))) };
    tokens = { value: NO_TOKENS };
    verifications = 0;
    const verifier: JwtVerifier = {
      issuer: 'https://issuer.test',
      verify() {
        verifications += 1;
        return verified instanceof Error ? Promise.reject(verified) : Promise.resolve(verified);
      },
    };
    authenticator = new Authenticator({
      accounts: { users, tokens },
      jwt: [verifier],
      checks: checks as unknown as SlowChecks,
      clock,
      events,
      key: Buffer.alloc(32),
    });
  });

  /** Returns the principal's name, or the failure. */
  async function login(authorization: string | undefined, client = 'a'): Promise<string> {
    try {
      const { principal } = await authenticator.identify({ authorization, client });
      return 'name' in principal ? principal.name : principal.kind;
    } catch (error) {
      return error instanceof AccessError ? error.failure : String(error);
    }
  }

  it.each([undefined, 'Basic Og=='])(
    'takes a request with %j for an anonymous one',
    async (authorization) => {
      expect(await login(authorization)).toBe('anonymous');
      expect(failed).toEqual([]);
    },
  );

  it('knows at once that a request has no credentials', () => {
    expect(authenticator.identifyNow(undefined, AT_A)).toEqual({ principal: { kind: 'anonymous' } });
  });

  it('checks a right password once, and knows it at once for five minutes', async () => {
    const alice = basic('alice', 'alice');
    expect(authenticator.identifyNow(alice, AT_A)).toBeUndefined();
    expect(await login(alice)).toBe('alice');
    clock.advance(5 * MINUTE - 1);
    expect(authenticator.identifyNow(alice, AT_A)).toEqual({ principal: { kind: 'user', name: 'alice' } });
    expect(await login(alice)).toBe('alice');
    expect(checks.compared).toHaveLength(1);
    clock.advance(1);
    expect(authenticator.identifyNow(alice, AT_A)).toBeUndefined();
    expect(await login(alice)).toBe('alice');
    expect(checks.compared).toHaveLength(2);
  });

  it('checks a wrong password once in half a minute', async () => {
    const wrong = basic('alice', 'bob');
    for (let i = 0; i < 100; i += 1) expect(await login(wrong)).toBe('wrong-credentials');
    expect(checks.compared).toHaveLength(1);
    clock.advance(MINUTE / 2);
    expect(await login(wrong)).toBe('wrong-credentials');
    expect(checks.compared).toHaveLength(2);
  });

  it('compares the password of an unknown user too, with a hash of the same cost', async () => {
    expect(await login(basic('eve', 'eve'))).toBe('wrong-credentials');
    expect(checks.compared).toEqual([expect.stringMatching(/^\$2b\$04\$/)]);
  });

  it('refuses what begins with a password of 72 bytes, after the same work and as a guess', async () => {
    // Bcrypt reads no further.
    const password = 'é'.repeat(36);
    users.value = new Users(new Map([['alice', HASH(password)]]));
    checks.comparePassword = (given, hash) => {
      checks.compared.push(hash);
      return Promise.resolve(hash === HASH(given.slice(0, 36)));
    };
    expect(await login(basic('alice', password))).toBe('alice');
    for (let i = 0; i < 10; i += 1)
      expect(await login(basic('alice', `${password}${i}`))).toBe('wrong-credentials');
    expect(checks.compared).toHaveLength(11);
    expect(await login(basic('alice', `${password}x`))).toBe('throttled');
  });

  it('refuses an unknown user whose password would be right for the decoy', async () => {
    // No password gives the decoy; if one did, there would still be no such user.
    users.value = new Users(new Map());
    checks.comparePassword = () => Promise.resolve(true);
    expect(await login(basic('eve', 'eve'))).toBe('wrong-credentials');
  });

  it('shares a check among requests with the same credentials', async () => {
    const gate = Promise.withResolvers<void>();
    checks.gate = gate.promise;
    const logins = Array.from({ length: 50 }, () => login(basic('alice', 'alice')));
    gate.resolve();
    expect(new Set(await Promise.all(logins))).toEqual(new Set(['alice']));
    expect(checks.compared).toHaveLength(1);
  });

  it('forgets a user who is removed, or gets another password, and no other user', async () => {
    for (const name of ['alice', 'bob']) await login(basic(name, name));
    users.value = new Users(new Map([['bob', HASH('bob')]]));
    expect(authenticator.identifyNow(basic('alice', 'alice'), AT_A)).toBeUndefined();
    expect(await login(basic('alice', 'alice'))).toBe('wrong-credentials');
    expect(authenticator.identifyNow(basic('bob', 'bob'), AT_A)).toBeDefined();
    users.value = new Users(new Map([['bob', HASH('new')]]));
    expect(await login(basic('bob', 'bob'))).toBe('wrong-credentials');
    expect(await login(basic('bob', 'new'))).toBe('bob');
  });

  it('takes a password that was wrong before the file changed', async () => {
    expect(await login(basic('eve', 'eve'))).toBe('wrong-credentials');
    users.value = new Users(new Map([['eve', HASH('eve')]]));
    expect(await login(basic('eve', 'eve'))).toBe('eve');
  });

  it('does not remember a check that could not be made', async () => {
    for (let i = 0; i < 20; i += 1) expect(await login(basic('alice', 'broken'))).toBe('unavailable');
    expect(checks.compared).toHaveLength(20);
    expect(await login(basic('alice', 'alice'))).toBe('alice');
  });

  describe('with guesses', () => {
    beforeEach(async () => {
      await login(basic('bob', 'bob'));
      for (let i = 0; i < 10; i += 1) await login(basic('alice', `guess ${i}`));
      checks.compared = [];
    });

    it('lets the address wait for that user', async () => {
      expect(await login(basic('alice', 'guess'))).toBe('throttled');
      expect(await login(basic('alice', 'alice'))).toBe('throttled');
      expect(checks.compared).toEqual([]);
      clock.advance(MINUTE);
      expect(await login(basic('alice', 'alice'))).toBe('alice');
    });

    it('lets neither another address wait, nor what is remembered, nor a guess that is known to be wrong', async () => {
      expect(await login(basic('bob', 'bob'))).toBe('bob');
      expect(await login(basic('alice', 'guess 1'))).toBe('wrong-credentials');
      expect(await login(basic('alice', 'alice'), 'b')).toBe('alice');
    });

    it('learns nothing of what is remembered for another address', async () => {
      expect(await login(basic('alice', 'alice'), 'b')).toBe('alice');
      expect(authenticator.identifyNow(basic('alice', 'alice'), AT_A)).toBeUndefined();
      expect(
        authenticator.identifyNow(basic('alice', 'alice').replace('Basic', 'bAsIc'), AT_A),
      ).toBeUndefined();
      expect(await login(basic('alice', 'alice'))).toBe('throttled');
    });
  });

  it('knows a static token until it expires or is revoked', async () => {
    const { token, text } = makeToken(
      { name: 'ci', now: clock.now(), expiresAt: clock.now() + MINUTE },
      (bytes) => Buffer.alloc(bytes, 7),
    );
    expect(await login(`Bearer ${text}`)).toBe('wrong-credentials');
    tokens.value = new Map([[token.id, token]]);
    expect(await login(`Bearer ${text}`)).toBe('ci');
    expect(await login(basic('anything', text))).toBe('ci');
    expect(authenticator.identifyNow(`Bearer ${text}`, AT_A)).toBeDefined();
    expect(await login(`Bearer ${text.slice(0, -1)}A`)).toBe('wrong-credentials');
    tokens.value = NO_TOKENS;
    expect(authenticator.identifyNow(`Bearer ${text}`, AT_A)).toBeUndefined();
    tokens.value = new Map([[token.id, token]]);
    expect(await login(`Bearer ${text}`)).toBe('ci');
    clock.advance(MINUTE);
    expect(await login(`Bearer ${text}`)).toBe('wrong-credentials');
    expect(checks.compared).toEqual([]);
  });

  it('gives a JSON Web Token to the verifier of its issuer, and remembers the verdict', async () => {
    const principal = { kind: 'user', name: 'alice' } as const;
    const proof = proofOfPassword(HASH('alice'));
    verified = { identity: { principal }, proof, expiresAt: clock.now() + MINUTE };
    const bearer = `Bearer ${jwt('https://issuer.test')}`;
    expect(await login(bearer)).toBe('alice');
    expect(authenticator.identifyNow(bearer, AT_A)).toEqual({ principal });
    expect(await login(`Bearer ${jwt('https://other.test')}`)).toBe('wrong-credentials');
    expect(verifications).toBe(1);
    users.value = new Users(new Map([['alice', HASH('new')]]));
    expect(authenticator.identifyNow(bearer, AT_A)).toBeUndefined();
  });

  it('knows a password still after ten thousand tokens', async () => {
    await login(basic('alice', 'alice'));
    verified = { identity: { principal: { kind: 'anonymous' } } };
    for (let i = 0; i <= 10_000; i += 1) await login(`Bearer ${jwt('https://issuer.test', String(i))}`);
    expect(authenticator.identifyNow(basic('alice', 'alice'), AT_A)).toBeDefined();
  });

  it('tells apart a token that is wrong, and one that cannot be verified now', async () => {
    const bearer = `Bearer ${jwt('https://issuer.test')}`;
    verified = new AccessError('unavailable', 'its keys cannot be fetched');
    expect([await login(bearer), await login(bearer), verifications]).toEqual([
      'unavailable',
      'unavailable',
      2,
    ]);
    verified = new AccessError('wrong-credentials', 'no');
    expect([await login(bearer), await login(bearer), verifications]).toEqual([
      'wrong-credentials',
      'wrong-credentials',
      3,
    ]);
  });

  it('tells failed logins without their secrets', async () => {
    await login(basic('alice', 'hunter2'));
    await login(`Bearer larder_0123456789ab_${'hunter2'.padEnd(43, 'x')}`);
    await login(`Bearer ${jwt('https://other.test', 'hunter2')}`);
    await login('Bearer hunter2');
    expect(failed).toMatchObject([
      {
        client: 'a',
        form: 'password',
        account: '"alice"',
        failure: 'wrong-credentials',
        untold: 0,
      },
      { form: 'token', account: '0123456789ab' },
      { form: 'jwt', account: '"https://other.test"' },
      { form: 'unusable', account: undefined },
    ]);
    const told = failed.map((event) => `${JSON.stringify(event)} ${String((event.error as Error).cause)}`);
    expect(told.join('\n')).not.toMatch(/hunter2|aHVudGVyM/);
  });

  it.each([
    ['a static token', `larder_0123456789ab_${'hunter2'.padEnd(43, 'x')}`],
    ['a JSON Web Token', jwt('https://issuer.test', 'hunter2')],
    ['a password', 'hunter2'],
    ['the account of another registry', 'hunter2@hub.test'],
  ])('does not tell %s that was sent as the name', async (_, name) => {
    for (const password of ['', 'x']) await login(basic(name, password));
    expect(failed).toMatchObject([{ account: 'unknown account' }, { account: 'unknown account' }]);
    const told = failed.map((event) => `${JSON.stringify(event)} ${String((event.error as Error).cause)}`);
    expect(told.join('\n')).not.toContain(name);
  });

  it('tells only some of many failed logins, and later how many it left out', async () => {
    for (let i = 0; i < 1000; i += 1) await login('Bearer wrong', `client ${i % 100}`);
    expect(failed).toHaveLength(60);
    clock.advance(MINUTE);
    await login('Bearer wrong');
    expect(failed.at(-1)?.untold).toBe(940);
    for (let i = 0; i < 10; i += 1) await login('Bearer wrong');
    expect(failed).toHaveLength(65);
  });
});
