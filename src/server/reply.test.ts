import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { get, open, readAnswer, type ReceivedAnswer } from '../../test/support/http-get.ts';
import { bytesOf, ScriptedReader } from '../../test/support/scripted-reader.ts';
import { createDeliver, type Delivered } from '../delivery/deliver.ts';
import { jsonBody, NO_BODY, sendNow, sendReply, type Reply } from './reply.ts';

interface Server {
  readonly url: URL;
  readonly sent: Promise<Delivered>;
  /** Resolves when the response is over, sent or not. */
  readonly closed: Promise<unknown>;
}

/** Starts a server for this test. @returns its URL */
async function listening(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function serve(reply: Reply, idleMs = 0): Promise<Server> {
  const sent = Promise.withResolvers<Delivered>();
  const closed = Promise.withResolvers<void>();
  const url = await listening(({ method }, outgoing) => {
    outgoing.once('close', closed.resolve);
    sendReply(reply, outgoing, { isHead: method === 'HEAD', idleMs, deliver: createDeliver() }).then(
      sent.resolve,
      sent.reject,
    );
  });
  return { url, sent: sent.promise, closed: closed.promise };
}

async function ask(
  reply: Reply,
  method: 'GET' | 'HEAD',
): Promise<ReceivedAnswer & { readonly sent: Delivered }> {
  const { url, sent } = await serve(reply);
  const answer = await get(url, '/', { method });
  return { ...answer, sent: await sent };
}

function blobReply(reader: ScriptedReader, start: number, end: number | undefined): Reply {
  const length = end === undefined ? {} : { 'Content-Length': end - start };
  return { status: 206, headers: { ...length, ETag: '"x"' }, body: { kind: 'blob', reader, start, end } };
}

describe('bytes', () => {
  const body = jsonBody({ name: 'ä' });
  const reply: Reply = { status: 201, headers: { 'Content-Type': 'application/json' }, body };

  test('GET: as they are, with their length', async () => {
    const answer = await ask(reply, 'GET');
    expect([answer.status, answer.body.toString()]).toEqual([201, '{"name":"ä"}']);
    expect(answer.headers).toMatchObject({ 'content-length': '13', 'content-type': 'application/json' });
    expect(answer.sent).toEqual({ bytes: 13, complete: true });
  });

  test('HEAD: the headers of GET and no body', async () => {
    const [got, head] = [await ask(reply, 'GET'), await ask(reply, 'HEAD')];
    expect({ ...head.headers, date: '' }).toEqual({ ...got.headers, date: '' });
    expect([head.status, head.body.length, head.sent]).toEqual([201, 0, { bytes: 0, complete: true }]);
  });
});

describe('bytes that the client does not take', () => {
  // More than the socket buffers on both sides can hold.
  const bytes = Buffer.alloc(32 * 1024 * 1024, 'x');

  test.each<[string, Reply['body']]>([
    ['binary', { kind: 'bytes', bytes }],
    ['text', { kind: 'bytes', bytes, latin1: bytes.toString('latin1') }],
  ])('%s: the connection is cut', async (_, body) => {
    const { url, closed } = await serve({ status: 200, headers: {}, body }, 50);
    const incoming = await open(url, '/');
    await closed;
    const answer = await readAnswer(incoming);
    expect([answer.complete, answer.body.length < bytes.length]).toEqual([false, true]);
  });

  test('after an answer that ends later: the connection is cut', async () => {
    const over = Promise.withResolvers<void>();
    const earlier: ServerResponse[] = [];
    const server = await listening(({ method }, outgoing) => {
      if (earlier.push(outgoing) === 1) return;
      outgoing.once('close', over.resolve);
      sendNow({ status: 200, headers: {}, body: { kind: 'bytes', bytes } }, outgoing, {
        isHead: method === 'HEAD',
        idleMs: 50,
      });
      earlier[0]?.end();
    });
    const socket = connect(Number(server.port), server.hostname).pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
    await over.promise;
    socket.destroy();
  });

  test('wait for ever without a time limit', async () => {
    const { url, sent } = await serve({ status: 200, headers: {}, body: { kind: 'bytes', bytes } });
    const [incoming, witness] = [
      await open(url, '/'),
      await serve({ status: 200, headers: {}, body: { kind: 'bytes', bytes } }, 50),
    ];
    // Waits longer than the time limit of another connection, which is cut meanwhile.
    await open(witness.url, '/');
    await witness.closed;
    expect([await sent, (await readAnswer(incoming)).complete]).toEqual([
      { bytes: bytes.length, complete: true },
      true,
    ]);
  });
});

describe('no body', () => {
  test('HEAD tells the length of what GET would send', async () => {
    const answer = await ask({ status: 200, headers: { 'Content-Length': 7 }, body: NO_BODY }, 'HEAD');
    expect(answer.headers['content-length']).toBe('7');
    expect(answer.complete).toBe(true);
  });

  test('304 has none', async () => {
    const answer = await ask({ status: 304, headers: { ETag: '"x"' }, body: NO_BODY }, 'GET');
    expect([answer.status, answer.body.length, answer.headers.etag]).toEqual([304, 0, '"x"']);
  });
});

describe('a blob', () => {
  test('GET: its part; the reader is closed', async () => {
    const reader = new ScriptedReader(1_000);
    const answer = await ask(blobReply(reader, 10, 30), 'GET');
    expect([answer.status, answer.body, answer.sent]).toEqual([
      206,
      bytesOf(10, 30),
      { bytes: 20, complete: true },
    ]);
    expect(reader.isClosed).toBe(true);
  });

  test('HEAD: its headers; nothing is read, and the reader is closed', async () => {
    const reader = new ScriptedReader(1_000);
    const answer = await ask(blobReply(reader, 10, 30), 'HEAD');
    expect(answer).toMatchObject({ status: 206, sent: { bytes: 0, complete: true } });
    expect(answer.headers['content-length']).toBe('20');
    expect([reader.reads, reader.isClosed]).toEqual([0, true]);
  });

  test('of unknown size is chunked', async () => {
    const answer = await ask(blobReply(new ScriptedReader(1_000), 0, undefined), 'GET');
    expect(answer.headers['transfer-encoding']).toBe('chunked');
    expect(answer.body).toEqual(bytesOf(0, 1_000));
  });

  test('its headers leave before its first byte is there', async () => {
    const reader = new ScriptedReader(10, { available: 0 });
    const { url, sent } = await serve(blobReply(reader, 0, 10));
    const incoming = await open(url, '/');
    expect(incoming.statusCode).toBe(206);
    reader.arrive(10);
    expect(Buffer.concat(await incoming.toArray())).toEqual(bytesOf(0, 10));
    expect(await sent).toEqual({ bytes: 10, complete: true });
  });

  test('that fails: the connection is cut and the reader is closed', async () => {
    const reader = new ScriptedReader(1_000, { failsAt: 500 });
    const answer = await ask(blobReply(reader, 0, 1_000), 'GET');
    expect(answer.complete).toBe(false);
    expect(answer.sent).toMatchObject({ complete: false, error: new Error('the bytes end at 500') });
    expect(reader.isClosed).toBe(true);
  });

  test('whose client leaves: the reader is closed at once, though no byte has come', async () => {
    const reader = new ScriptedReader(10, { available: 0 });
    const { url, sent } = await serve(blobReply(reader, 0, 10));
    (await open(url, '/')).destroy();
    expect(await sent).toMatchObject({ bytes: 0, complete: false });
    expect(reader.isClosed).toBe(true);
  });

  test('whose reader cannot be closed counts as sent', async () => {
    const reader = new ScriptedReader(10);
    const failure = new Error('EIO');
    reader.close = () => Promise.reject(failure);
    const answer = await ask(blobReply(reader, 0, 10), 'GET');
    expect([answer.complete, answer.sent]).toEqual([true, { bytes: 10, complete: true, error: failure }]);
  });
});

test('headers that cannot be sent: nothing is sent, and the reader is closed', async () => {
  const reader = new ScriptedReader(10);
  const { url, sent } = await serve({ ...blobReply(reader, 0, 10), headers: { ETag: 'a\nb' } });
  const asked = open(url, '/');
  asked.catch(() => undefined);
  await expect(sent).rejects.toThrow('Invalid character');
  expect([reader.reads, reader.isClosed]).toEqual([0, true]);
});
