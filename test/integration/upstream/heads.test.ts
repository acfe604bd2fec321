import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createEvents } from '../../../src/events.ts';
import { createUpstream } from '../../../src/upstream/create-upstream.ts';
import type { UpstreamError } from '../../../src/upstream/error.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startForwardProxy, through } from '../../support/proxy.ts';
import { LAYER, LAYER_DIGEST, readBlob, repo } from '../../support/upstream-content.ts';
import { TIMEOUTS } from '../../support/upstream-fixture.ts';

const app = repo('team/app');

/** An upstream that answers each request with these bytes, in pieces, and keeps its connections. */
async function startRaw(pieces: readonly (string | Uint8Array)[], proxy?: URL) {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined);
    socket.on('data', () => void send());
    const send = async (): Promise<void> => {
      for (const piece of pieces) {
        socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
        // Each piece comes by itself.
        await new Promise(setImmediate);
      }
    };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const settings = {
    name: 'x',
    url: new URL(`http://127.0.0.1:${port}`),
    timeouts: TIMEOUTS,
    userAgent: 'x',
    ...(proxy !== undefined && { proxyFor: through(proxy) }),
  };
  const upstream = createUpstream(settings, { clock: new ManualClock(), events: createEvents() });
  const pull = async (): Promise<Uint8Array> =>
    Uint8Array.from(await readBlob(await upstream.blob(app, LAYER_DIGEST)));
  return {
    pull,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      await upstream.close();
      server.close();
    },
  };
}

function answer(...fields: readonly string[]): string {
  return ['HTTP/1.1 200 OK', ...fields, '', ''].join('\r\n');
}

const BYTES = Uint8Array.from(LAYER);
const LENGTH = `Content-Length: ${LAYER.length}`;
const FIELDS = 'x'.repeat(60);
const LONG = Array.from({ length: 300 }, (_, i) => `X-${i}: ${FIELDS}`);
const CHUNKS = Buffer.concat([
  Buffer.from(`${LAYER.length.toString(16)}\r\n`),
  LAYER,
  Buffer.from('\r\n0\r\n\r\n'),
]);

describe('heads that other clients read', () => {
  test.each<[string, string, Uint8Array]>([
    ['20 KiB of fields', answer(...LONG, LENGTH), LAYER],
    ['names in odd case', answer(LENGTH.toUpperCase(), 'eTaG: "x"'), LAYER],
    ['a blank behind the length', answer(`${LENGTH} `), LAYER],
    ['a blank before a colon', answer(LENGTH.replace(':', ' :')), LAYER],
    ['two equal lengths', answer(LENGTH, LENGTH), LAYER],
    ['a length beside chunks', answer(LENGTH, 'Transfer-Encoding: chunked'), CHUNKS],
    [
      'chunks beside a length that is wrong',
      answer('Transfer-Encoding: chunked', 'Content-Length: 1'),
      CHUNKS,
    ],
    ['a folded field', answer('X-Note: one', ' two', LENGTH), LAYER],
    ['lines that end in LF', `HTTP/1.1 200 OK\n${LENGTH}\n\n`, LAYER],
    ['control characters', answer('X-Note: a\x01', LENGTH), LAYER],
    ['early hints before it', `HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${answer(`${LENGTH} `)}`, LAYER],
  ])('%s', async (_, head, body) => {
    await using upstream = await startRaw([head, body]);
    expect(await upstream.pull()).toEqual(BYTES);
  });

  test('whatever the pieces are that it comes in', async () => {
    await using upstream = await startRaw([
      ...Array.from(`HTTP/1.1 103 Hints\r\n\r\n${answer(`${LENGTH} `)}`),
      LAYER,
    ]);
    expect(await upstream.pull()).toEqual(BYTES);
  });

  test('through a proxy', async () => {
    await using proxy = await startForwardProxy();
    await using upstream = await startRaw([answer(LENGTH, ...LONG), LAYER], proxy.url);
    expect(await upstream.pull()).toEqual(BYTES);
    expect(proxy.log).toHaveLength(1);
  });

  test('its connection is not used again, unlike that of one that is as it should be', async () => {
    for (const [head, expected] of [
      [answer(`${LENGTH} `), 2],
      [answer(LENGTH, 'X-Note: a '), 1],
    ] as const) {
      await using upstream = await startRaw([head, LAYER]);
      await upstream.pull();
      for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
      await upstream.pull();
      expect(upstream.connections()).toBe(expected);
    }
  });
});

describe('heads that mean nothing certain', () => {
  test.each<[string, string]>([
    ['lengths that differ', answer(LENGTH, 'Content-Length: 5')],
    ['a length that is none', answer('Content-Length: +5')],
    ['a nameless field', answer(LENGTH, ': x')],
    ['more than 64 KiB', answer(...LONG, ...LONG, ...LONG, ...LONG, LENGTH)],
  ])('%s', async (_, head) => {
    await using upstream = await startRaw([head, LAYER]);
    const error = await upstream.pull().catch((error: unknown) => error as UpstreamError);
    expect(error).toMatchObject({ failure: 'unavailable', reason: 'content' });
  });
});
