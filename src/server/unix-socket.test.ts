import { once } from 'node:events';
import { mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bindUnixSocket } from './unix-socket.ts';

let folder: string;
let path: string;
let servers: Server[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  path = join(folder, 'larder.sock');
  servers = [];
});

afterEach(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true });
});

/** Makes a server that says its name and closes. */
function serverCalled(name: string): Server {
  const server = createServer((socket) => {
    // The look at a live socket is a client that leaves at once.
    socket.on('error', () => undefined);
    socket.end(name);
  });
  servers.push(server);
  return server;
}

async function whoAnswers(): Promise<string> {
  const socket = connect(path);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

/** Leaves a socket on which no process listens, as a crash does. */
async function leaveDeadSocket(): Promise<void> {
  const server = createServer();
  server.listen(`${path}.old`);
  await once(server, 'listening');
  await rename(`${path}.old`, path);
  server.close();
  await once(server, 'close');
}

test('a server listens on a socket of the wanted mode, and nothing else is left in the folder', async () => {
  await bindUnixSocket(serverCalled('one'), path, 0o660);
  expect(await whoAnswers()).toBe('one');
  expect((await stat(path)).mode & 0o777).toBe(0o660);
  expect(await readdir(folder)).toEqual(['larder.sock']);
});

test('the socket that a crash has left is replaced', async () => {
  await leaveDeadSocket();
  await bindUnixSocket(serverCalled('two'), path, 0o600);
  expect(await whoAnswers()).toBe('two');
});

test('a socket that a process listens on is left alone', async () => {
  await bindUnixSocket(serverCalled('one'), path, 0o600);
  await expect(bindUnixSocket(serverCalled('two'), path, 0o600)).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  expect(await whoAnswers()).toBe('one');
  expect(await readdir(folder)).toEqual(['larder.sock']);
});

test.each<[string, (at: string) => Promise<void>]>([
  ['file', (at) => writeFile(at, 'of someone else')],
  ['link', (at) => symlink('/nowhere', at)],
])('a %s in its place is left alone', async (_, make) => {
  await make(path);
  await expect(bindUnixSocket(serverCalled('one'), path, 0o600)).rejects.toMatchObject({ code: 'EEXIST' });
  expect(await readdir(folder)).toEqual(['larder.sock']);
});

test('a folder that does not exist is told', async () => {
  path = join(folder, 'absent', 'larder.sock');
  await expect(bindUnixSocket(serverCalled('one'), path, 0o600)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a server that ends removes its own socket, and not that of the next one', async () => {
  const first = await bindUnixSocket(serverCalled('one'), path, 0o600);
  await first.remove();
  expect(await readdir(folder)).toEqual([]);
  await bindUnixSocket(serverCalled('two'), path, 0o600);
  await first.remove();
  expect(await whoAnswers()).toBe('two');
});
