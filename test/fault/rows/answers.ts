import {
  challenged,
  cutAfter,
  instead,
  json,
  neverRespond,
  redirect,
  registryError,
  status,
  type Fault,
  type Reply,
} from '../../support/scripted-reply.ts';
import { cut, failed, part, stale, whole } from '../cell.ts';
import type { Cells, Group, Row } from '../row.ts';
import { EARLY, STORAGE, type World } from '../world.ts';
import { LEFT_ALONE, UNREACHABLE } from './patterns.ts';

const ACCOUNT = { username: 'larder', password: 'a secret' };
const BEARER = { registry: { auth: { kind: 'bearer' } } } as const;

/**
 * The first request learns from the registry that a token is needed; later requests know it, until one of them fails.
 * If such a request gets no token, it is sent without one, since the registry may demand something else by now. If the
 * registry still demands the same, the request asks for no second token.
 */
const TOKENLESS: Cells = {
  cold: failed(503, 2),
  stale: stale(2),
  manifest: failed(503, 2),
  blob: failed(503, 2),
  follower: cut(11, { tookMs: 7_500 }),
  range: failed(503, 2),
};

/** A GET follows each failed HEAD, since some registries fail only on HEAD. */
const BY_GET_TOO: Cells = { ...LEFT_ALONE, cold: failed(502, 2), stale: stale(2) };

export const ANSWERS: Group = {
  title: 'Upstream leads astray, refuses or fails',
  rows: [
    {
      name: 'redirect loop',
      says: ['redirected more than 10 times'],
      strike: all(redirect('/v2/loop')),
      cells: {
        // Ten redirects are followed, as Go's client and containerd do.
        cold: failed(502, 11),
        stale: stale(11),
        manifest: failed(502, 11),
        blob: failed(502, 11),
        follower: cut(55, { tookMs: 7_500 }),
        range: failed(502, 11),
      },
    },
    {
      name: 'redirect to a private address',
      says: ['10.0.0.7 leads to an address that only allowPrivateNetworks would open'],
      strike: all(redirect('http://10.0.0.7/blob')),
      cells: UNREACHABLE,
    },
    {
      name: 'expired signed URL on resume',
      says: [],
      world: { registry: { redirectBlobs: true, storageHost: STORAGE } },
      strike: expireSignature,
      carrier: 'storage',
      cells: {
        // The registry and the store are asked three times: the store breaks off, then refuses, then sends the rest.
        cold: undefined,
        stale: undefined,
        manifest: undefined,
        blob: whole(6),
        follower: whole(4),
        range: part(6),
      },
    },
    {
      name: '401 loop: every new token is refused',
      says: ['answered 401'],
      world: BEARER,
      strike: (world) => world.fault({}, refuseTokens(world)),
      cells: {
        // A denial is the registry's own word: cached content must not hide it, and a retry would not change it. The
        // answer is never a 401, since a client would then send its own credentials here. The tag stays cached for the
        // time when the account works again. For a tag, HEAD is asked first, which proves nothing.
        cold: failed(404, 7, { rightAfterMs: 30_000 }),
        stale: failed(404, 9, { cached: 'all', rightAfterMs: 30_000 }),
        manifest: failed(404, 3, { rightAfterMs: 30_000 }),
        blob: failed(404, 3, { rightAfterMs: 30_000 }),
        follower: cut(4),
        range: failed(404, 3, { rightAfterMs: 30_000 }),
      },
    },
    {
      name: 'the configured account is refused',
      says: ['the configured account is refused'],
      world: { registry: { auth: { kind: 'basic', ...ACCOUNT } }, account: ACCOUNT },
      strike: all(challenged('Basic realm="fake"')),
      cells: {
        // This is Larder's own failure, so cached content hides it. If nothing is cached, the answer is 403, since
        // upstream has not said that there is no such thing. Larder does not send the account again for five seconds:
        // registries lock accounts that are refused too often.
        cold: failed(403, 2, { rightAfterMs: 5_000 }),
        stale: stale(2, { rightAfterMs: 5_000 }),
        manifest: failed(403, 2, { rightAfterMs: 5_000 }),
        blob: failed(403, 2, { rightAfterMs: 5_000 }),
        follower: cut(2),
        range: failed(403, 2, { rightAfterMs: 5_000 }),
      },
    },
    {
      name: 'token service down',
      says: ['no token:'],
      world: BEARER,
      strike: tokens(instead(status(503))),
      cells: { ...TOKENLESS, follower: cut(11, { tookMs: 7_500, rightAfterMs: 2_000 }) },
    },
    {
      name: 'token service slow',
      says: ['no token:', 'did not confirm the tag within 2000 ms'],
      world: BEARER,
      strike: tokens(neverRespond()),
      cells: {
        cold: failed(504, 2, { tookMs: 20_000 }),
        stale: stale(1, { tookMs: 2_000, rightAfterMs: 30_000 }),
        manifest: failed(504, 2, { tookMs: 20_000 }),
        blob: failed(504, 2, { tookMs: 20_000 }),
        follower: cut(7, { tookMs: 61_500 }),
        range: failed(504, 2, { tookMs: 20_000 }),
      },
    },
    {
      name: 'token service talks garbage',
      says: ['no token in the answer of registry.test'],
      world: BEARER,
      strike: tokens(instead(json('garbage'))),
      cells: TOKENLESS,
    },
    {
      name: '429: the pull limit',
      says: ['answered 429'],
      strike: all(registryError(429, 'TOOMANYREQUESTS', { headers: { 'retry-after': '120' } })),
      cells: throttled(120, 120_000),
    },
    {
      name: '429: the abuse limit',
      says: ['answered 429'],
      strike: all(status(429, { body: 'Too Many Requests (HAP429).\n' })),
      cells: throttled(60, 30_000),
    },
    { name: '500', says: ['answered 500'], strike: all(status(500)), cells: BY_GET_TOO },
    { name: '502', says: ['answered 502'], strike: all(status(502)), cells: BY_GET_TOO },
    { name: '503', says: ['answered 503'], strike: all(status(503)), cells: LEFT_ALONE },
    {
      name: '504',
      says: ['answered 504'],
      strike: all(status(504)),
      cells: {
        ...LEFT_ALONE,
        cold: failed(504, 1),
        manifest: failed(504, 1),
        blob: failed(504, 1),
        range: failed(504, 1),
      },
    },
  ],
};

/** Makes the cells of a limit: upstream wants no requests, so Larder sends none, not even to resume a transfer. */
function throttled(retryAfter: number, rightAfterMs: number): Cells {
  const refused = failed(429, 1, { retryAfter, rightAfterMs });
  return {
    cold: refused,
    stale: stale(1, { rightAfterMs }),
    manifest: refused,
    blob: refused,
    follower: cut(1, { rightAfterMs }),
    range: refused,
  };
}

/** Makes a fault that answers every request by this reply. */
function all(reply: Reply): Row['strike'] {
  return (world) => world.fault({}, instead(reply));
}

/** Makes a fault that ends all tokens and changes the answers to requests for new ones. */
function tokens(...verbs: readonly Fault[]): Row['strike'] {
  return (world) => {
    world.registry.expireTokens();
    world.fault({ kind: 'token' }, ...verbs);
  };
}

function refuseTokens({ registry }: World): Fault {
  const realm = new URL('/token', registry.url).href;
  const refusal = challenged(`Bearer realm="${realm}",service="fake"`);
  const isToken = ({ status: code, headers }: Reply): boolean =>
    code === 200 && headers['content-type'] === 'application/json';
  return (reply) => (isToken(reply) ? reply : refusal);
}

/** Lets the object store break off the transfer, and then refuse the first URL by which Larder resumes it. */
function expireSignature(world: World, when: 'start' | 'half'): void {
  if (when === 'start') {
    world.fault({ kind: 'storage', times: 1 }, cutAfter(EARLY), world.pauseAfter(EARLY - 1));
  }
  let isFirst = true;
  world.fault({ kind: 'storage' }, (reply) => {
    if (reply.status !== 206 || !isFirst) return reply;
    isFirst = false;
    return status(403, { body: '<Error><Code>AccessDenied</Code></Error>' });
  });
}
