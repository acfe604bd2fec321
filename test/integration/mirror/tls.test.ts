/** Larder by TLS: what clients get, whose connections it takes, and how it renews its certificate. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type AgentOptions } from 'node:https';
import { connect as connectByTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { readByteranges } from '../../support/byteranges.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { readAnswer } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import { flip, stallAfter } from '../../support/scripted-reply.ts';
import { createCertificateAuthority } from '../../support/tls.ts';

const AUTHORITY = createCertificateAuthority();
const CLIENTS = createCertificateAuthority('Clients');

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  /** Makes an agent that trusts the authority. */
  agent(options?: AgentOptions): Agent;
  /** Begins a TLS connection. */
  dial(options?: ConnectionOptions): TLSSocket;
  /** Begins a TCP connection, which says nothing. */
  dialTcp(from?: string): Promise<Socket>;
  /** Writes a certificate, and its key, or that of another one. */
  write(pair: { readonly cert: string; readonly key: string }): Promise<void>;
}

async function start(options: Partial<MirrorFixtureOptions> & { asksClients?: true } = {}): Promise<World> {
  const { asksClients, ...more } = options;
  const folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  const at = (name: string): string => join(folder, name);
  const write: World['write'] = async ({ cert, key }) => {
    await writeFile(at('tls.crt'), cert);
    await writeFile(at('tls.key'), key);
  };
  await write(AUTHORITY.issue(['127.0.0.1']));
  await writeFile(at('clients.crt'), CLIENTS.certificate);
  const registry = await startFakeRegistry();
  registry.putImage('acme/app', '1');
  const mirror = await startMirror({
    upstreams: [{ name: 'registry.test', registry }],
    tls: {
      cert: at('tls.crt'),
      key: at('tls.key'),
      ...(asksClients && { clientCa: at('clients.crt') }),
    },
    ...more,
  });
  const port = Number(mirror.url.port);
  const closing: { destroy(): unknown }[] = [];
  return {
    registry,
    mirror,
    write,
    agent(own = {}) {
      const agent = new Agent({ ca: AUTHORITY.certificate, ...own });
      closing.push(agent);
      return agent;
    },
    dial(own = {}) {
      const socket = connect({ port, host: '127.0.0.1', ca: AUTHORITY.certificate, ...own });
      socket.on('error', () => undefined);
      closing.push(socket);
      return socket;
    },
    async dialTcp(from = '127.0.0.1') {
      const socket = connectByTcp({ port, host: '127.0.0.1', localAddress: from });
      socket.on('error', () => undefined);
      closing.push(socket);
      await once(socket, 'connect');
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const each of closing) each.destroy();
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

/** A blob that is larger than what is sent in one piece. */
function largeBlob({ registry }: World): { content: Buffer; digest: Digest; path: string } {
  const content = randomBytes(5_000_000);
  const { digest } = registry.putBlob('acme/app', content);
  return { content, digest, path: `/v2/acme/app/blobs/${digest}` };
}

const MANIFEST = '/v2/acme/app/manifests/1';

/** Resolves with how a handshake ends, as a client sees it once it has asked for something. */
async function outcomeOf(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('secureConnect', () => socket.write('GET /livez HTTP/1.1\r\nHost: m\r\n\r\n'));
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1', 0, 15)));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('closed'));
  });
}

/** Resolves once the connection is closed, by whatever. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().once('close', () => resolve()));
}

/** Types of TLS records (RFC 8446 section 5.1). */
const ALERT = 21;
const APPLICATION_DATA = 23;

/** A way to a server on this machine that keeps what the server sends. */
async function recordWire(port: number) {
  const sent: Buffer[] = [];
  const server = createServer((client) => {
    const behind = connectByTcp(port, '127.0.0.1');
    behind.on('data', (chunk) => sent.push(chunk));
    behind.on('close', () => client.destroy()).on('error', () => undefined);
    client.on('close', () => behind.destroy()).on('error', () => undefined);
    client.pipe(behind).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    /** Returns the types of the records that the server has sent. */
    types(): number[] {
      const bytes = Buffer.concat(sent);
      const types: number[] = [];
      for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
        types.push(bytes[at] ?? 0);
      return types;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

describe('content', () => {
  test('is the same by TLS: manifests, cold and warm blobs, ranges', async () => {
    await using world = await start();
    const { content, path } = largeBlob(world);
    const agent = world.agent();
    expect((await world.mirror.get(MANIFEST, { agent })).status).toBe(200);
    for (const which of ['cold', 'warm']) {
      const { body, complete } = await world.mirror.get(path, { agent });
      expect([which, complete, body.equals(content)]).toEqual([which, true, true]);
    }
    const part = await world.mirror.get(path, { agent, headers: { range: 'bytes=1000000-3999999' } });
    expect([part.status, part.body.equals(content.subarray(1_000_000, 4_000_000))]).toEqual([206, true]);
    const headers = { range: 'bytes=0-999999,2000000-2000009' };
    const several = await world.mirror.get(path, { agent, headers });
    const parts = readByteranges(several.body, several.headers['content-type']);
    const wanted = [content.subarray(0, 1_000_000), content.subarray(2_000_000, 2_000_010)];
    expect(parts.map(({ bytes }, i) => wanted[i]?.equals(bytes))).toEqual([true, true]);
  });

  test('that turns out wrong is cut, without the end of a TLS connection that is whole', async () => {
    await using world = await start();
    const { path } = largeBlob(world);
    world.registry.fault({ kind: 'blob' }, flip());
    await using wire = await recordWire(Number(world.mirror.url.port));
    const agent = world.agent({ maxVersion: 'TLSv1.2', port: wire.port });
    const { status, complete } = await world.mirror.get(path, { agent });
    expect([status, complete]).toEqual([200, false]);
    await expect.poll(() => wire.types().at(-1)).toBe(APPLICATION_DATA);
    expect(wire.types()).not.toContain(ALERT);
  });

  test('is for the client that the log names, and its connection is kept alive', async () => {
    await using world = await start();
    const agent = world.agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 3; n += 1) await world.mirror.get(MANIFEST, { agent });
    await expect
      .poll(() => world.mirror.served.map(({ client }) => client))
      .toEqual(Array(3).fill('127.0.0.1'));
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  });
});

describe('a handshake', () => {
  test.each<[string, ConnectionOptions, string | RegExp]>([
    ['TLS 1.3', { minVersion: 'TLSv1.3' }, 'HTTP/1.1 200 OK'],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, 'HTTP/1.1 200 OK'],
    [
      'TLS 1.1',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      /^ERR_SSL|ECONNRESET/,
    ],
    ['HTTP/2 or HTTP/1.1', { ALPNProtocols: ['h2', 'http/1.1'] }, 'HTTP/1.1 200 OK'],
    ['HTTP/2 alone', { ALPNProtocols: ['h2'] }, /^ERR_SSL|ECONNRESET/],
  ])('of a client that speaks %s', async (_, options, outcome) => {
    await using world = await start();
    expect(await outcomeOf(world.dial(options))).toMatch(outcome);
  });

  test('that fails is no line in the log, and does the server no harm', async () => {
    await using world = await start();
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: m\r\n\r\n',
      '\x16\x03\x01\x00\x05hello',
      'x'.repeat(100_000),
    ]) {
      const socket = await world.dialTcp();
      const closed = closeOf(socket);
      socket.end(bytes);
      await closed;
    }
    const reset = await world.dialTcp();
    reset.resetAndDestroy();
    expect((await world.mirror.get('/livez', { agent: world.agent() })).status).toBe(200);
    await expect.poll(() => world.mirror.served).toHaveLength(1);
    expect(world.mirror.events.filter(({ kind }) => kind === 'server-failed')).toEqual([]);
  });

  test('that a client does not finish is cut', async () => {
    await using world = await start({ headerTimeoutMs: 200 });
    const silent = await world.dialTcp();
    await closeOf(silent);
  });

  test('that a client does not finish does not hold the end of the program up', async () => {
    await using world = await start();
    const silent = await world.dialTcp();
    const closed = closeOf(silent);
    expect(await world.mirror.drain(60_000)).toBe(0);
    await closed;
  });
});

describe('connections', () => {
  const FEW = { connections: 4, connectionsPerClient: 1 };

  test('in the middle of a handshake have places, and lose them to those of others', async () => {
    await using world = await start({ connections: FEW });
    const hoard: Socket[] = [];
    for (let n = 0; n < 4; n += 1) hoard.push(await world.dialTcp('127.0.0.2'));
    const first = closeOf(hoard[0] as Socket);
    expect((await world.mirror.get(MANIFEST, { agent: world.agent() })).status).toBe(200);
    await first;
  });

  test('that are idle lose their places to those of others, those with a request do not', async () => {
    await using world = await start({ connections: FEW });
    const { path, content } = largeBlob(world);
    const stalled = stallAfter(100_000);
    world.registry.fault({ kind: 'blob' }, stalled);
    const pulling = await world.mirror.open(path, { agent: world.agent({ localAddress: '127.0.0.2' }) });
    const closed: Promise<void>[] = [];
    for (let n = 0; n < 3; n += 1) {
      const socket = world.dial({ localAddress: '127.0.0.2' } as ConnectionOptions);
      closed.push(closeOf(socket));
      expect(await outcomeOf(socket)).toBe('HTTP/1.1 200 OK');
    }
    await closed[0];
    stalled.release();
    const { body } = await readAnswer(pulling);
    expect(body.equals(content)).toBe(true);
  });
});

describe('a client certificate', () => {
  test('of the wanted authority is needed', async () => {
    await using world = await start({ asksClients: true });
    const known = CLIENTS.issue(['a client']);
    const unknown = AUTHORITY.issue(['a client']);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await outcomeOf(world.dial({ maxVersion, ...known }))).toBe('HTTP/1.1 200 OK');
      for (const wrong of [{}, unknown])
        expect(await outcomeOf(world.dial({ maxVersion, ...wrong }))).toMatch(/^ERR_SSL|ECONNRESET|closed/);
    }
    await expect.poll(() => world.mirror.served).toHaveLength(2);
  });
});

describe('a renewed certificate', () => {
  /** Returns the serial number of the certificate that a new connection is shown. */
  async function serial(world: World): Promise<string> {
    const socket = world.dial();
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  }

  const told = ({ mirror }: World): unknown[] =>
    mirror.events.flatMap((event) => (event.kind === 'certificate-changed' ? [event.state] : []));

  test('is shown to new connections, while the open ones go on', async () => {
    await using world = await start();
    const { path, content } = largeBlob(world);
    const stalled = stallAfter(100_000);
    world.registry.fault({ kind: 'blob' }, stalled);
    const pulling = await world.mirror.open(path, { agent: world.agent() });
    const before = await serial(world);
    await world.write(AUTHORITY.issue(['127.0.0.1']));
    world.mirror.clock.advance(5_000);
    await expect.poll(() => told(world)).toEqual(['renewed']);
    expect(await serial(world)).not.toBe(before);
    stalled.release();
    const { body } = await readAnswer(pulling);
    expect(body.equals(content)).toBe(true);
  });

  test('whose key belongs to another one is not shown, and that is told', async () => {
    await using world = await start();
    const before = await serial(world);
    const { cert } = AUTHORITY.issue(['127.0.0.1']);
    await world.write({ cert, key: AUTHORITY.issue(['127.0.0.1']).key });
    const look = (): unknown[] => {
      world.mirror.clock.advance(5_000);
      return told(world);
    };
    await expect.poll(look).toEqual(['unusable']);
    expect(await serial(world)).toBe(before);
    expect(JSON.stringify(world.mirror.events)).not.toContain('PRIVATE KEY');
  });
});

test('files that cannot be used keep the server from starting', async () => {
  const registry = await startFakeRegistry();
  await using _registry = registry;
  const tls = { cert: '/nowhere/tls.crt', key: '/nowhere/tls.key' };
  await expect(startMirror({ upstreams: [{ name: 'registry.test', registry }], tls })).rejects.toThrow(
    'ENOENT',
  );
});
