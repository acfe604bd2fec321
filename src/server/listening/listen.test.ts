import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { get } from '../../../test/support/http-get.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { portOf } from '../../../test/support/port-of.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import type { App } from '../app.ts';
import { listen } from './listen.ts';
import { RequestRecords } from '../request/request-record.ts';
import { TrustedProxies } from '../request/trusted-proxies.ts';

const BUG = new TypeError('a bug');

interface World extends AsyncDisposable {
  readonly base: URL;
  readonly told: readonly LarderEvent[];
  /** Returns the events about the program's own mistakes. */
  mishaps(): LarderEvent[];
}

type Handle = (outgoing: ServerResponse, path: string) => void;

/** Starts a server whose handlers may have a bug. */
async function start(handle: Handle, buggy: { release?: boolean; isTrusted?: () => boolean } = {}) {
  const clock = new ManualClock();
  const events = createEvents();
  const told: LarderEvent[] = [];
  events.subscribe((event) => told.push(event));
  const proxies = new TrustedProxies([]);
  if (buggy.isTrusted !== undefined) proxies.isTrusted = buggy.isTrusted;
  const app: App = {
    handle: ({ url = '' }, outgoing) => handle(outgoing, url),
    release() {
      if (buggy.release === true) throw BUG;
    },
    serving: 0,
    beNotReady() {},
  };
  const server = await listen({
    app,
    records: new RequestRecords(clock, events, () => 'an-id', proxies),
    proxies,
    clock,
    events,
    address: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    limits: { headerTimeoutMs: 60_000, connections: 100, connectionsPerClient: 100 },
  });
  return {
    base: new URL(`http://127.0.0.1:${portOf(server)}`),
    told,
    mishaps: () => told.filter(({ kind }) => kind === 'server-failed'),
    async [Symbol.asyncDispose]() {
      const drained = server.drain(0);
      clock.advance(0);
      await drained;
    },
  } satisfies World;
}

/** Makes a handler that throws for `/bug`, and answers all other requests. */
function throwingAfter(before: (outgoing: ServerResponse) => void): Handle {
  return (outgoing, path) => {
    if (path !== '/bug') return void outgoing.end('fine');
    before(outgoing);
    throw BUG;
  };
}

async function isWell({ base }: World): Promise<boolean> {
  const { status, body } = await get(base, '/');
  return status === 200 && body.toString() === 'fine';
}

test('a handler that throws before it has answered: 500 with an error document, and the others are served', async () => {
  await using world = await start(throwingAfter(() => {}));
  const { status, headers, body } = await get(world.base, '/bug');
  expect([status, headers['x-request-id']]).toEqual([500, 'an-id']);
  expect(JSON.parse(body.toString())).toEqual({ errors: [{ code: 'UNKNOWN', message: 'internal error' }] });
  expect(await isWell(world)).toBe(true);
  expect(world.mishaps()).toEqual([{ kind: 'server-failed', operation: 'answer a request', error: BUG }]);
  await expect
    .poll(() => world.told.find(({ kind }) => kind === 'request-served'))
    .toMatchObject({ request: { status: 500, error: BUG } });
});

test.each<[string, (outgoing: ServerResponse) => void]>([
  [
    'a part of its answer is sent',
    (outgoing) => void outgoing.writeHead(200, { 'Content-Length': 9 }).write('half'),
  ],
  ['its headers are written', (outgoing) => outgoing.flushHeaders()],
])('one that throws once %s: the connection is cut', async (_, before) => {
  await using world = await start(throwingAfter(before));
  const isWhole = await get(world.base, '/bug').then(
    ({ complete }) => complete,
    () => false,
  );
  expect(isWhole).toBe(false);
  expect(await isWell(world)).toBe(true);
  expect(world.mishaps()).toHaveLength(1);
});

test('an error at the end of a response is told, and the request is still logged', async () => {
  await using world = await start(
    throwingAfter(() => {}),
    { release: true },
  );
  expect([await isWell(world), await isWell(world)]).toEqual([true, true]);
  await expect.poll(() => world.told.filter(({ kind }) => kind === 'request-served')).toHaveLength(2);
  expect(world.mishaps()[0]).toEqual({ kind: 'server-failed', operation: 'end a request', error: BUG });
});

test('an error at a new connection closes only that one', async () => {
  let isFirst = true;
  const isTrusted = (): boolean => {
    if (!isFirst) return false;
    isFirst = false;
    throw BUG;
  };
  await using world = await start(
    throwingAfter(() => {}),
    { isTrusted },
  );
  const socket = connect(Number(world.base.port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'close');
  expect(await isWell(world)).toBe(true);
  expect(world.mishaps()).toEqual([{ kind: 'server-failed', operation: 'take a connection', error: BUG }]);
});
