import { describe, expect, test } from 'vitest';
import {
  AUTHORIZER_REGISTRY as REGISTRY,
  bearerChallenge,
  startAuthorizer as start,
  tokenOf,
  wantingToken,
} from '../../../test/support/authorizer-fixture.ts';
import type { MemoryAnswer } from '../../../test/support/memory-host.ts';

const TAGS = `GET ${REGISTRY}/v2/a/tags/list`;
const OTHER_TAGS = `GET ${REGISTRY}/v2/b/tags/list`;
const PING = `GET ${REGISTRY}/v2/`;
const TOKEN = `GET ${REGISTRY}/token`;
const OK: MemoryAnswer = { status: 200 };
const DENIED: MemoryAnswer = { status: 403, document: { errors: [{ code: 'DENIED' }] } };

/** Answers with one token after the other. */
function tokensInTurn(): () => MemoryAnswer {
  let count = 0;
  return () => tokenOf(`t${++count}`);
}

describe('the first request', () => {
  test('goes without Authorization and, after its answer is discarded, once more as the challenge demands', async () => {
    const { hosts, send } = start(wantingToken(OK), () => tokenOf('t'));
    expect((await send()).status).toBe(200);
    expect(hosts.asked).toEqual([TAGS, TOKEN, `${TAGS} Bearer t`]);
    expect([hosts.openBefore.at(-1), hosts.open]).toEqual([0, 1]);
  });

  test('has no empty Authorization', async () => {
    const seen: unknown[] = [];
    const { send } = start(
      (_, { headers }) => (seen.push(headers), OK),
      () => tokenOf('t'),
    );
    await send();
    expect(seen).toStrictEqual([{}]);
  });

  test('is not sent again after a 403, since it carried no authorization that could be refused', async () => {
    const { hosts, send } = start(
      () => DENIED,
      () => tokenOf('t'),
    );
    expect((await send()).status).toBe(403);
    expect(hosts.asked).toEqual([TAGS]);
  });

  test('learns the demand from the ping if its refusal has none', async () => {
    const { hosts, send } = start(
      (authorization, { url }) =>
        url.pathname === '/v2/'
          ? bearerChallenge(',scope="repository:user/image:pull"')
          : wantingToken(OK, { status: 401 })(authorization),
      ({ url }) => tokenOf(url.searchParams.getAll('scope').join()),
    );
    expect((await send()).status).toBe(200);
    expect(hosts.asked).toEqual([TAGS, PING, TOKEN, `${TAGS} Bearer repository:a:pull`]);
    expect(hosts.openBefore).toEqual([0, 1, 1, 0]);
  });

  test('is refused if no answer has a demand', async () => {
    const { hosts, send } = start(
      () => ({ status: 401 }),
      () => tokenOf('t'),
    );
    expect((await send()).status).toBe(401);
    expect(hosts.asked).toEqual([TAGS, PING]);
    expect(hosts.open).toBe(1);
  });

  test('has its answer discarded before it fails for want of a token', async () => {
    const { hosts, send } = start(wantingToken(OK), () => ({ status: 502 }));
    await expect(send()).rejects.toThrow('no token');
    expect(hosts.open).toBe(0);
  });
});

describe('the next request', () => {
  test('meets the demand of its repository', async () => {
    const { hosts, send } = start(
      wantingToken(OK, bearerChallenge(',scope="repository:prefix/a:pull"')),
      ({ url }) => tokenOf(url.searchParams.getAll('scope').join()),
    );
    await send('a');
    hosts.asked.length = 0;
    await send('a');
    expect(hosts.asked).toEqual([`${TAGS} Bearer repository:prefix/a:pull`]);
  });

  test('meets the demand of another repository, for its own', async () => {
    const { hosts, send } = start(
      wantingToken(OK, bearerChallenge(',scope="aws repository:a:pull"')),
      ({ url }) => tokenOf(url.searchParams.getAll('scope').join()),
    );
    await send('a');
    hosts.asked.length = 0;
    await send('b');
    expect(hosts.asked).toEqual([TOKEN, `${OTHER_TAGS} Bearer aws,repository:b:pull`]);
  });

  test('goes once more if that demand cannot be met, and does not try the same demand twice', async () => {
    let isDown = false;
    const { clock, hosts, send, tokens } = start(wantingToken(OK), () =>
      isDown ? { status: 502 } : tokenOf('t'),
    );
    await send();
    isDown = true;
    clock.advance(3_600_000);
    hosts.asked.length = 0;
    await expect(send()).rejects.toMatchObject({ failure: 'unavailable', reason: 'token' });
    expect([tokens(), hosts.asked.at(-1)]).toEqual([1, TAGS]);
  });

  test('does not wait for a broken realm each time if the registry has become open', async () => {
    let isOpen = false;
    const { clock, hosts, send } = start(
      (authorization) => (isOpen ? OK : wantingToken(OK)(authorization)),
      () => (isOpen ? { status: 502 } : tokenOf('t')),
    );
    await send();
    isOpen = true;
    clock.advance(3_600_000);
    hosts.asked.length = 0;
    for (let times = 0; times < 2; times++) expect((await send()).status).toBe(200);
    expect(hosts.asked).toEqual([TOKEN, TAGS, TAGS]);
  });
});

describe('a token that is refused', () => {
  test.each([
    [59_999, ['t1', 't1']],
    [60_000, ['t1', 't1', 't2']],
  ])(
    'because it grants too little is not followed by the same one before a minute is over: %i ms',
    async (ms, sent) => {
      const { clock, hosts, send } = start(
        wantingToken(bearerChallenge(',error="insufficient_scope"')),
        tokensInTurn(),
      );
      clock.advance(1_000_000);
      expect((await send()).status).toBe(401);
      clock.advance(ms);
      expect((await send()).status).toBe(401);
      expect(hosts.asked.filter((asked) => asked.includes(' Bearer '))).toEqual(
        sent.map((token) => `${TAGS} Bearer ${token}`),
      );
    },
  );

  test('is followed by the demand of a request without one, since a registry may challenge a token differently', async () => {
    const { hosts, send } = start(
      (authorization) =>
        authorization === undefined
          ? bearerChallenge()
          : authorization === 'Bearer t1'
            ? { status: 401, headers: { 'www-authenticate': 'Bearer realm="https://evil.test/token"' } }
            : OK,
      tokensInTurn(),
    );
    expect((await send()).status).toBe(401);
    hosts.asked.length = 0;
    hosts.openBefore.length = 0;
    expect((await send()).status).toBe(200);
    expect(hosts.asked).toEqual([`${TAGS} Bearer t1`, TAGS, TOKEN, `${TAGS} Bearer t2`]);
    // The refusal's body stays open until a better answer is certain, so the first request's body is still open.
    expect(hosts.openBefore).toEqual([1, 2, 2, 1]);
  });

  test('is not sent again if the realm gives the same one', async () => {
    const { hosts, send } = start(wantingToken({ status: 401 }), () => tokenOf('t'));
    await send();
    hosts.asked.length = 0;
    expect((await send()).status).toBe(401);
    expect(hosts.asked).toEqual([`${TAGS} Bearer t`, TAGS, TOKEN]);
  });

  test('is followed by a request without one if the registry has become open', async () => {
    let isOpen = false;
    const { hosts, send } = start(
      (authorization) => {
        if (!isOpen) return wantingToken(OK)(authorization);
        return authorization === undefined ? OK : DENIED;
      },
      () => tokenOf('t'),
    );
    await send();
    isOpen = true;
    hosts.asked.length = 0;
    for (let times = 0; times < 2; times++) expect((await send()).status).toBe(200);
    expect(hosts.asked).toEqual([`${TAGS} Bearer t`, TAGS, TAGS, TAGS]);
  });

  test.each([400, 404])(
    'is followed by the demand of the ping if the request without a token answers %i',
    async (status) => {
      let isRenewed = false;
      const { hosts, send } = start((authorization, { url }) => {
        if (!isRenewed) return wantingToken(OK)(authorization);
        if (url.pathname === '/v2/') return bearerChallenge();
        return authorization === 'Bearer t2' ? OK : { status: authorization === undefined ? status : 403 };
      }, tokensInTurn());
      await send();
      isRenewed = true;
      hosts.asked.length = 0;
      expect((await send()).status).toBe(200);
      expect(hosts.asked).toEqual([`${TAGS} Bearer t1`, TAGS, PING, TOKEN, `${TAGS} Bearer t2`]);
    },
  );

  test('is followed by the token that another caller has got meanwhile', async () => {
    const held = Promise.withResolvers<MemoryAnswer>();
    const refusals = [held.promise, { status: 401 }];
    let isRefused = false;
    const { hosts, send } = start(
      (authorization) =>
        isRefused && authorization === 'Bearer t1'
          ? (refusals.shift() ?? OK)
          : wantingToken(OK)(authorization),
      tokensInTurn(),
    );
    await send();
    isRefused = true;
    const late = send();
    expect((await send()).status).toBe(200);
    hosts.asked.length = 0;
    held.resolve({ status: 401 });
    expect((await late).status).toBe(200);
    expect(hosts.asked).toEqual([`${TAGS} Bearer t2`]);
  });
});
