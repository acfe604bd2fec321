import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { Api, type ApiOptions } from '../../../src/api/api.ts';
import { ApiClient } from '../../../src/api/client/api-client.ts';
import { httpTransport } from '../../../src/api/client/http-transport.ts';
import { BASE } from '../../../src/api/contract/routes.ts';
import type { JobListener } from '../../../src/operator/jobs/jobs.ts';
import { listenControl } from '../../../src/server/api/control-socket.ts';
import { apiWorld } from '../../support/api-doors.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const LISTENERS = ['http', 'socket'] as const;

test.each(LISTENERS)(
  'a stream by %s has signs of life, and ends when the server is drained',
  async (name) => {
    await using world = await apiWorld();
    const { transport } = world.doors[name];
    const { bytes } = await transport({ method: 'GET', path: `${BASE}/events` });
    const chunks: string[] = [];
    const reading = (async (): Promise<void> => {
      for await (const chunk of bytes) chunks.push(Buffer.from(chunk).toString());
    })();
    await expect.poll(() => chunks.join('')).toBe(':\n\n');
    world.mirror.clock.advance(15_000);
    await expect.poll(() => chunks.join('')).toBe(':\n\n:\n\n');
    const drained = world.mirror.drain(60_000);
    await reading;
    await drained;
    // The port is closed; the socket still answers.
    const status = transport({ method: 'GET', path: `${BASE}/events` }).then(
      (answer) => answer.status,
      () => 'no connection',
    );
    expect(await status).toBe(name === 'http' ? 'no connection' : 503);
  },
);

test('a client that does not read the stream is cut, and another is told everything', async () => {
  await using directory = await temporaryDirectory('events');
  await using stack = new AsyncDisposableStack();
  let tell: JobListener = () => {};
  const watch = (listener: JobListener): (() => void) => {
    tell = listener;
    return () => {};
  };
  const api = new Api({ jobs: { watch }, clock: new ManualClock(), epoch: 'a' } as unknown as ApiOptions);
  stack.defer(() => api.close());
  const where = { directory: directory.path, temporaryDirectory: directory.path };
  const control = await listenControl({ api, ...where });
  stack.defer(() => control.close());

  const slow = connect(control.path);
  const answers = once(slow, 'readable');
  slow.write(`GET ${BASE}/events HTTP/1.1\r\nHost: larder\r\n\r\n`);
  await answers;
  const client = new ApiClient(httpTransport({ socketPath: control.path }));
  const ending = new AbortController();
  const events = (await client.events(ending.signal))[Symbol.asyncIterator]();

  // The slow client reads no more: its events fill the buffers of the system, then the one of the server.
  const closed = once(slow, 'close');
  const error = { code: 'failed', message: 'x'.repeat(64 * 1024) };
  for (let n = 0; n < 400; n += 1) {
    tell({ id: String(n), kind: 'verify', state: 'failed', startedAt: 0, error });
    expect((await events.next()).value).toMatchObject({ data: { id: String(n) } });
  }
  slow.resume();
  await closed;
  tell({ id: 'last', kind: 'verify', state: 'done', startedAt: 0 });
  expect((await events.next()).value).toMatchObject({ data: { id: 'last' } });
  ending.abort();
});
