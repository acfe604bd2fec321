import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { AnswerReader, type ReaderRequest } from './answer-reader.ts';
import { ReaderConnection } from './connection.ts';

/** The far end of connections that a test answers by hand. */
class Server {
  readonly sockets: Socket[] = [];
  /** Requests that have come, by any connection. */
  requests = 0;
  #answer: (text: string) => void = () => undefined;

  readonly dial = async (): Promise<ReaderConnection> => {
    return new ReaderConnection(({ buffer, callback }) => {
      let room = buffer();
      this.#answer = (text) => {
        const { written } = new TextEncoder().encodeInto(text, room);
        callback(written);
        room = buffer();
      };
      const socket = new Duplex({
        read: () => undefined,
        write: (_bytes, _encoding, done) => {
          this.requests += 1;
          done();
        },
      }) as Socket;
      this.sockets.push(socket);
      return socket;
    });
  };

  /** Sends text by the connection that was opened last. */
  send(text: string): void {
    this.#answer(text);
  }
}

const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

function world() {
  const server = new Server();
  const reader = new AnswerReader(new ManualClock());
  const get = (signal = new AbortController().signal) => {
    const request: ReaderRequest = { origin: 'http://a', text: 'GET', signal, dial: server.dial };
    return reader.get(request);
  };
  return { server, reader, get };
}

test('a request that is given up before it begins is not sent by a kept connection', async () => {
  const { server, get } = world();
  const first = get();
  await setImmediate();
  server.send(EMPTY);
  await (
    await first
  ).over;
  await setImmediate();
  await expect(get(AbortSignal.abort(new Error('given up')))).rejects.toThrow('given up');
  expect(server.requests).toBe(1);
  const next = get();
  server.send(EMPTY);
  await next;
  expect([server.requests, server.sockets.length]).toEqual([2, 1]);
});
