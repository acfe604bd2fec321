import { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Dialler } from './dialler.ts';

/** A dialler whose connections are never established. */
function world() {
  const clock = new ManualClock();
  const sockets: Socket[] = [];
  const ending = new AbortController();
  const dialler = new Dialler({
    clock,
    connectMs: 1_000,
    ending: ending.signal,
    trust: { context: async () => createSecureContext() },
    guard: { admit: async () => ['8.8.8.8'], connected: () => undefined },
    network: {
      connect: () => {
        const socket = Object.assign(new Duplex({ read: () => undefined }), {
          setKeepAlive: () => undefined,
        });
        sockets.push(socket as unknown as Socket);
        return socket as unknown as Socket;
      },
    },
  });
  return { clock, sockets, ending, dialler };
}

test.each(['http://a', 'https://a'])('a connection to %s that is given up ends at once', async (url) => {
  const { clock, sockets, dialler } = world();
  const given = new AbortController();
  const dialled = dialler.dial(new URL(url), given.signal);
  await setImmediate();
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false]);
  given.abort(new Error('given up'));
  await expect(dialled).rejects.toThrow('given up');
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
  expect(clock.pending).toBe(0);
});

test('none is begun after it was given up, or after the end', async () => {
  const { clock, sockets, ending, dialler } = world();
  const given = AbortSignal.abort(new Error('given up'));
  await expect(dialler.dial(new URL('http://a'), given)).rejects.toThrow('given up');
  ending.abort(new Error('closed'));
  await expect(dialler.dial(new URL('http://a'), new AbortController().signal)).rejects.toThrow('closed');
  expect([sockets.length, clock.pending]).toEqual([0, 0]);
});
