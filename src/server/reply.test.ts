import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { get, open, type Answered } from '../../test/support/http-get.ts';
import { bytesOf, ScriptedReader } from '../../test/support/scripted-reader.ts';
import { createDeliver, type Delivered } from '../delivery/deliver.ts';
import { jsonBody, NO_BODY, sendReply, type Reply } from './reply.ts';

interface Server {
  readonly url: URL;
  readonly sent: Promise<Delivered>;
}

async function serve(reply: Reply): Promise<Server> {
  const sent = Promise.withResolvers<Delivered>();
  const server = createServer(({ method }, outgoing) => {
    sendReply(reply, outgoing, { isHead: method === 'HEAD', idleMs: 0, deliver: createDeliver() }).then(
      sent.resolve,
      sent.reject,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), sent: sent.promise };
}

async function ask(reply: Reply, method: 'GET' | 'HEAD'): Promise<Answered & { readonly sent: Delivered }> {
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

  test('whose reader cannot be closed was sent all the same', async () => {
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
