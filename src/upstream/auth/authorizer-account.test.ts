import { describe, expect, test, vi } from 'vitest';
import {
  accountWith,
  AUTHORIZER_REGISTRY as REGISTRY,
  BASIC_CHALLENGE,
  basicOf,
  bearerChallenge,
  startAuthorizer as start,
  tokenOf,
  wantingToken,
} from '../../../test/support/authorizer-fixture.ts';
import type { MemoryAnswer } from '../../../test/support/memory-host.ts';
import { CredentialError, type CredentialSource } from '../credentials/credentials.ts';

const OK: MemoryAnswer = { status: 200 };
const DOCUMENT = { errors: [{ code: 'UNAUTHORIZED' }] };
const DENIED: MemoryAnswer = { status: 403, document: { errors: [{ code: 'DENIED' }] } };

describe('the account goes', () => {
  const shown = (asked: readonly string[]): string[] => asked.filter((each) => each.includes(' Basic '));

  test('only to the registry and to a realm that may get credentials', async () => {
    const { hosts, send } = start(wantingToken(OK), () => tokenOf('t'), accountWith('pw'));
    await send();
    expect(shown(hosts.asked)).toEqual([`GET ${REGISTRY}/token ${basicOf('pw')}`]);
  });

  test.each([
    ['a realm of another domain', REGISTRY, bearerChallenge('', 'https://evil.test/token')],
    ['a host that the registry leads to', 'other.test', BASIC_CHALLENGE],
    ['the realm of such a host', 'other.test', bearerChallenge('', 'https://other.test/token')],
  ])('not to %s', async (_, host, challenge) => {
    const { hosts, send } = start(wantingToken(OK, challenge), () => tokenOf('t'), accountWith('pw'));
    await send('a', host);
    expect(shown(hosts.asked)).toEqual([]);
  });

  test('with its new secret to a registry that has refused the old one', async () => {
    const { send } = start(
      (authorization) => (authorization === basicOf('new') ? OK : BASIC_CHALLENGE),
      () => tokenOf('t'),
      accountWith('old', 'new'),
    );
    expect((await send()).status).toBe(401);
    expect((await send()).status).toBe(200);
  });

  test.each([
    ['401', { status: 401 }],
    ['403 without a document', { status: 403 }],
    ['403 in a document', { status: 403, document: DOCUMENT }],
  ])('with its new secret to a realm that answers %s to the old one', async (_, refusal) => {
    const { send } = start(
      wantingToken(OK),
      ({ headers }) => (headers['authorization'] === basicOf('new') ? tokenOf('t') : refusal),
      accountWith('old', 'new'),
    );
    expect((await send()).status).toBe(200);
  });

  test.each([500, 429])('once to a realm that answers %i: that is not about its secret', async (status) => {
    const { send, tokens } = start(wantingToken(OK), () => ({ status }), accountWith('old', 'new'));
    await expect(send()).rejects.toThrow('no token');
    expect(tokens()).toBe(1);
  });

  test('once to a realm that refuses it, though it is asked for again soon after', async () => {
    const { send, tokens } = start(wantingToken(OK), () => ({ status: 401 }), accountWith('pw', 'pw', 'pw'));
    await expect(send()).rejects.toMatchObject({ reason: 'account-refused', wasAsked: true });
    await expect(send()).rejects.toMatchObject({ reason: 'account-refused', wasAsked: false });
    expect(tokens()).toBe(1);
  });

  test('nowhere any more, if the source has none when it is read again', async () => {
    const { send, tokens } = start(wantingToken(OK), () => ({ status: 401 }), accountWith('old', undefined));
    await expect(send()).rejects.toMatchObject({ reason: 'account-refused', status: 401 });
    expect(tokens()).toBe(1);
  });
});

describe('the answer of a refusal is marked with', () => {
  const ofRealm = (host: string) => wantingToken(DENIED, bearerChallenge('', `https://${host}/token`));

  test('nothing if the realm got the account', async () => {
    const { send } = start(ofRealm(REGISTRY), () => tokenOf('t'), accountWith('pw'));
    expect(await send()).toMatchObject({ note: undefined, refusedAs: undefined });
  });

  test('nothing if there is no account', async () => {
    const { send } = start(ofRealm('evil.test'), () => tokenOf('t'));
    expect(await send()).toMatchObject({ note: undefined, refusedAs: undefined });
  });

  test('the realm that the account was not sent to', async () => {
    const { send } = start(ofRealm('evil.test'), () => tokenOf('t'), accountWith('pw'));
    expect((await send()).note).toContain('not sent to the token realm evil.test');
  });

  test('account-refused if the account itself was sent', async () => {
    const { send } = start(
      () => BASIC_CHALLENGE,
      () => tokenOf('t'),
      accountWith('pw'),
    );
    expect(await send()).toMatchObject({
      refusedAs: 'account-refused',
      note: 'the configured account is refused',
    });
  });

  test('token-refused if a token of the account was sent', async () => {
    const { send } = start(wantingToken({ status: 401 }), () => tokenOf('t'), accountWith('pw'));
    expect(await send()).toMatchObject({ refusedAs: 'token-refused', note: undefined });
  });

  test.each([
    ['without an account', REGISTRY, undefined],
    ['of another host', 'other.test', accountWith('pw')],
  ])('nothing %s', async (_, host, credentials) => {
    const { send } = start(
      () => ({ status: 401 }),
      () => tokenOf('t'),
      credentials,
    );
    expect(await send('a', host)).toMatchObject({ status: 401, refusedAs: undefined });
  });
});

describe('the account is known to be', () => {
  /** A realm that refuses the account at first, and half a minute later gives a token for it. */
  async function recover(answer: MemoryAnswer) {
    let realm: MemoryAnswer = { status: 401 };
    const fixture = start(wantingToken(answer), () => realm, accountWith('pw', 'pw'));
    await expect(fixture.send()).rejects.toMatchObject({ reason: 'account-refused' });
    expect(fixture.authorizer.standing.refusal).toContain('answered 401');
    realm = tokenOf('t');
    fixture.clock.advance(30_000);
    await fixture.send();
    return fixture.authorizer.standing.refusal;
  }

  test('accepted again once its token is accepted', async () => {
    expect(await recover(OK)).toBeUndefined();
  });

  test.each([400, 404])('not accepted by an answer of %i', async (status) => {
    expect(await recover({ status })).toContain('answered 401');
  });

  test('not accepted by the answer to a request without it', async () => {
    let isOpen = false;
    const { authorizer, send } = start(
      (authorization) => (isOpen ? OK : wantingToken(OK)(authorization)),
      () => ({ status: 401 }),
      accountWith('pw', 'pw'),
    );
    await expect(send()).rejects.toMatchObject({ reason: 'account-refused' });
    isOpen = true;
    expect((await send('b', REGISTRY)).status).toBe(200);
    expect(authorizer.standing.refusal).toContain('answered 401');
  });

  test('not refused by a realm that forbids a repository', async () => {
    const { authorizer, send } = start(wantingToken(OK), () => DENIED, accountWith('pw', 'pw'));
    await expect(send()).rejects.toMatchObject({ failure: 'denied', reason: 'token', status: 403 });
    expect(authorizer.standing.refusal).toBeUndefined();
  });
});

test('an open registry gets the account only when it demands it', async () => {
  const { hosts, send } = start(
    () => OK,
    () => tokenOf('t'),
    accountWith('pw'),
  );
  expect((await send()).status).toBe(200);
  expect(hosts.asked).toEqual([`GET ${REGISTRY}/v2/a/tags/list`]);
});

describe('while the account is refused that a repository is known to demand', () => {
  test('that repository is not asked for', async () => {
    let realm = tokenOf('t');
    const { clock, hosts, send } = start(wantingToken(OK), () => realm, accountWith('pw', 'pw'));
    await send();
    realm = { status: 401 };
    clock.advance(3_600_000);
    hosts.asked.length = 0;
    await expect(send()).rejects.toMatchObject({ reason: 'account-refused' });
    expect(hosts.asked).toEqual([`GET ${REGISTRY}/token ${basicOf('pw')}`]);
  });

  test('another repository is asked for, since it may demand something else', async () => {
    let realm = tokenOf('t');
    const { clock, send } = start(
      (authorization, { url }) => {
        if (url.pathname.includes('/b/')) return authorization === basicOf('pw') ? OK : BASIC_CHALLENGE;
        return wantingToken(OK)(authorization);
      },
      () => realm,
      accountWith('pw', 'pw'),
    );
    await send('a');
    realm = { status: 401 };
    clock.advance(3_600_000);
    expect((await send('b')).status).toBe(200);
  });
});

describe('upstream was asked', () => {
  test('if it named a realm that Larder may not ask', async () => {
    const { send } = start(wantingToken(OK, bearerChallenge('', `http://${REGISTRY}/token`)), () =>
      tokenOf('t'),
    );
    await expect(send()).rejects.toMatchObject({
      reason: 'challenge',
      failure: 'unavailable',
      wasAsked: true,
    });
  });

  test('nothing, if the account cannot be read', async () => {
    const account = accountWith('pw');
    const get = vi.fn<CredentialSource['get']>((signal) => account.get(signal));
    const { clock, hosts, send } = start(wantingToken(OK), () => tokenOf('t'), {
      get,
      invalidate: () => undefined,
    });
    await send();
    get.mockRejectedValue(new CredentialError('no file'));
    clock.advance(3_600_000);
    hosts.asked.length = 0;
    await expect(send()).rejects.toMatchObject({ reason: 'credentials', said: 'no file', wasAsked: false });
    expect(hosts.asked).toEqual([]);
  });
});

test('an error of the program passes unchanged', async () => {
  const mistake = new TypeError('not a function');
  const credentials = { get: () => Promise.reject(mistake), invalidate: () => undefined };
  const { send } = start(wantingToken(OK), () => tokenOf('t'), credentials);
  await expect(send()).rejects.toBe(mistake);
});
