import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isListening, RemoteOperator } from '../../../src/app/operator/control-client.ts';
import { OperatorError } from '../../../src/operator/error.ts';
import type { Operator } from '../../../src/operator/operator.ts';
import type { VerifyProgress } from '../../../src/upkeep/verify.ts';
import { createControl } from '../../../src/server/control/control-api.ts';
import {
  findControlSocket,
  listenControl,
  type ControlSocket,
} from '../../../src/server/control/control-socket.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { startMirror } from '../../support/mirror-fixture.ts';

const never = (): AbortSignal => new AbortController().signal;

/** A maintenance that does nothing but what the test gives it. */
function stub(methods: Partial<Operator> = {}): Operator {
  const none = (): Promise<never> => Promise.reject(new Error('not given'));
  return {
    stats: none,
    repositories: none,
    tags: none,
    pins: none,
    remove: none,
    pin: none,
    unpin: none,
    verify: none,
    ...methods,
  };
}

interface Place extends AsyncDisposable {
  readonly directory: string;
  readonly elsewhere: string;
  listen(maintenance?: Operator): Promise<ControlSocket>;
}

/** A cache directory of that many bytes of path, and a place for what does not fit in. */
async function place(length?: number): Promise<Place> {
  const temporary = await temporaryDirectory('control');
  const elsewhere = join(temporary.path, 'tmp');
  const short = join(temporary.path, 'cache');
  const directory =
    length === undefined ? short : join(temporary.path, 'c'.repeat(length - temporary.path.length - 1));
  await mkdir(elsewhere);
  await mkdir(directory);
  return {
    directory,
    elsewhere,
    listen: (maintenance = stub()) =>
      listenControl({ app: createControl(maintenance), directory, temporaryDirectory: elsewhere }),
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

/** A request whose every part is the test's. */
async function ask(
  socketPath: string,
  path: string,
  { method = 'GET', body = '', headers = {} }: { method?: string; body?: string; headers?: object } = {},
): Promise<{ status: number; body: unknown }> {
  const outgoing = request({
    socketPath,
    path,
    method,
    headers: { 'Content-Length': Buffer.byteLength(body), ...headers },
  });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return { status: incoming.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

describe('the control socket', () => {
  test('is in the cache directory, and nobody but its owner may connect', async () => {
    await using where = await place();
    const control = await where.listen();
    expect(control.path).toBe(join(where.directory, 'control.sock'));
    expect((await stat(control.path)).mode & 0o777).toBe(0o600);
    expect(await readdir(where.directory)).toEqual(['control.sock']);
    expect(await findControlSocket(where.directory)).toBe(control.path);
    expect(await isListening(control.path)).toBe(true);
    await control.close();
    expect(await readdir(where.directory)).toEqual([]);
    expect(await isListening(control.path)).toBe(false);
  });

  test('replaces what a crash has left', async () => {
    await using where = await place();
    const path = join(where.directory, 'control.sock');
    const stale = createNetServer().listen(join(where.directory, 'stale'));
    await once(stale, 'listening');
    await rename(join(where.directory, 'stale'), path);
    stale.close();
    await once(stale, 'close');
    expect(await isListening(path)).toBe(false);
    const control = await where.listen();
    expect(await isListening(path)).toBe(true);
    await control.close();
  });

  test('removes what a crash has left half made', async () => {
    await using where = await place();
    await mkdir(join(where.directory, '.c-abcdef'));
    await writeFile(join(where.directory, '.c-abcdef', 's'), '');
    const control = await where.listen();
    expect(await readdir(where.directory)).toEqual(['control.sock']);
    await control.close();
  });

  test('replaces a file that is in its place', async () => {
    await using where = await place();
    await writeFile(join(where.directory, 'control.sock'), 'not a socket');
    expect(await isListening(join(where.directory, 'control.sock'))).toBe(false);
    const control = await where.listen();
    expect(await isListening(control.path)).toBe(true);
    await control.close();
  });

  test.each([90, 91, 105, 180])(
    'of a directory with a path of %i bytes is where it fits, and is found',
    async (length) => {
      await using where = await place(length);
      const control = await where.listen();
      const isInside = length + '/control.sock'.length <= 103;
      expect(dirname(control.path) === where.directory).toBe(isInside);
      expect(await findControlSocket(where.directory)).toBe(control.path);
      expect(await isListening(control.path)).toBe(true);
      expect((await stat(control.path)).mode & 0o777).toBe(0o600);
      expect((await stat(dirname(control.path))).mode & 0o077 & (isInside ? 0 : 0o777)).toBe(0);
      await control.close();
      expect(await readdir(where.directory)).toEqual([]);
      expect(await readdir(where.elsewhere)).toEqual([]);
      expect(await isListening(await findControlSocket(where.directory))).toBe(false);
    },
  );

  test('elsewhere is removed at the next start, where a crash has left it', async () => {
    await using where = await place(150);
    const left = join(where.elsewhere, 'larder-crash');
    await mkdir(left);
    await writeFile(join(left, 'control.sock'), '');
    await writeFile(
      join(where.directory, 'control.json'),
      JSON.stringify({ socket: join(left, 'control.sock') }),
    );
    const control = await where.listen();
    expect(await readdir(where.elsewhere)).toEqual([basename(dirname(control.path))]);
    await control.close();
  });

  test.each([
    '{"socket":"/etc/passwd"}',
    '{"socket":"/etc/control.sock"}',
    '{"socket":7}',
    'null',
    '{',
    '[]',
  ])('is not led astray by a control.json of %j', async (text) => {
    await using where = await place();
    await writeFile(join(where.directory, 'control.json'), text);
    const control = await where.listen();
    expect(control.path).toBe(join(where.directory, 'control.sock'));
    expect(await readFile('/etc/passwd', 'utf8')).not.toBe('');
    await control.close();
  });

  test('cuts who is still connected when it is closed', async () => {
    await using where = await place();
    let verifying: AbortSignal | undefined;
    const control = await where.listen(
      stub({
        verify: (_, onProgress, signal) => {
          verifying = signal;
          onProgress({ kind: 'hashed', blobs: 1, bytes: 1, ofBytes: 2 });
          return new Promise(() => {});
        },
      }),
    );
    const remote = new RemoteOperator(control.path);
    const begun = Promise.withResolvers<VerifyProgress>();
    const request = { repair: false, bytesPerSecond: undefined };
    const verified = remote.verify(request, begun.resolve, never()).catch((error: unknown) => error);
    await begun.promise;
    await control.close();
    expect(await verified).toMatchObject({
      code: 'failed',
      message: 'the server has ended the connection',
    });
    expect(verifying?.aborted).toBe(true);
  });
});

describe('the control API', () => {
  test('does remotely what is done locally, and is answered the same', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({
      upstreams: [{ name: 'registry.test', registry }],
      marks: { maxSize: 5_000_000 },
    });
    const image = registry.putImage('acme/app', '1');
    await mirror.get('/v2/acme/app/manifests/1');
    const [layer] = image.layers;
    await mirror.get(`/v2/acme/app/blobs/${layer?.digest}`);
    await using where = await place();
    const local = mirror.operator;
    const control = await where.listen(local);
    const remote = new RemoteOperator(control.path);

    expect(await remote.pin('acme/app:1')).toEqual(['registry.test/acme/app:1']);
    expect(await remote.stats()).toEqual(await local.stats());
    const page = { limit: 10 };
    expect(await remote.repositories(page)).toEqual(await local.repositories(page));
    expect(await remote.tags('acme/app', page)).toEqual(await local.tags('acme/app', page));
    expect(await remote.tags('acme/app', { after: '1', limit: 10 })).toEqual([]);
    expect(await remote.pins(page)).toEqual(await local.pins(page));
    expect(await remote.unpin('acme/app')).toEqual(['registry.test/acme/app:1']);

    await truncate(mirror.pathOf(layer!.digest), 1);
    const progress: VerifyProgress[] = [];
    const request = { repair: true, bytesPerSecond: undefined };
    const report = await remote.verify(request, (line) => progress.push(line), never());
    expect(report).toMatchObject({ isSound: true, totals: { quarantined: 1, repaired: 1 } });
    expect(progress.map(({ kind }) => kind)).toEqual([
      'quarantined',
      'step',
      'step',
      'step',
      'repaired',
      'step',
    ]);
    expect(await remote.remove('acme/app:1')).toMatchObject({ tags: 1, blobs: 2 });
    await control.close();
  });

  test.each(['invalid', 'unknown', 'failed'] as const)('tells %s errors as they are', async (code) => {
    await using where = await place();
    const refuse = (): Promise<never> => Promise.reject(new OperatorError(code, 'so it is'));
    const control = await where.listen(stub({ remove: refuse, verify: refuse }));
    const remote = new RemoteOperator(control.path);
    const error = { name: 'OperatorError', code, message: 'so it is' };
    await expect(remote.remove('x')).rejects.toMatchObject(error);
    const request = { repair: false, bytesPerSecond: 1 };
    await expect(remote.verify(request, () => {}, never())).rejects.toMatchObject(error);
    await control.close();
  });

  test('keeps unforeseen errors to itself', async () => {
    await using where = await place();
    const control = await where.listen(stub({ stats: () => Promise.reject(new Error('secret')) }));
    await expect(new RemoteOperator(control.path).stats()).rejects.toMatchObject({
      code: 'failed',
      message: 'internal error',
    });
    await control.close();
  });

  test('ends a verification whose client has gone', async () => {
    await using where = await place();
    const gone = Promise.withResolvers<void>();
    const control = await where.listen(
      stub({
        verify: (_, onProgress, signal) => {
          signal.addEventListener('abort', () => gone.resolve());
          onProgress({ kind: 'hashed', blobs: 1, bytes: 1, ofBytes: 2 });
          return gone.promise.then(() => Promise.reject(new Error('gone')));
        },
      }),
    );
    const leaving = new AbortController();
    const request = { repair: false, bytesPerSecond: undefined };
    const remote = new RemoteOperator(control.path);
    const verified = remote.verify(request, () => leaving.abort(), leaving.signal);
    await expect(verified).rejects.toMatchObject({ code: 'failed' });
    await gone.promise;
    await control.close();
  });

  test.each([
    ['an unknown path', '/api/v1/nothing', {}, 404],
    ['the registry, which is elsewhere', '/v2/', {}, 404],
    ['a limit that is none', '/api/v1/repositories?limit=-1', {}, 400],
    ['no reference', '/api/v1/delete', { method: 'POST', body: '{}' }, 400],
    ['a reference that is none', '/api/v1/pin', { method: 'POST', body: '{"reference":7}' }, 400],
    ['no JSON', '/api/v1/delete', { method: 'POST', body: '{' }, 400],
    ['no object', '/api/v1/delete', { method: 'POST', body: 'null' }, 400],
    ['a rate that is none', '/api/v1/verify', { method: 'POST', body: '{"bytesPerSecond":-1}' }, 400],
    ['a repair that is none', '/api/v1/verify', { method: 'POST', body: '{"repair":"yes"}' }, 400],
    ['too much', '/api/v1/delete', { method: 'POST', body: ' '.repeat(65_537) }, 400],
  ])('refuses %s', async (_, path, options, status) => {
    await using where = await place();
    const control = await where.listen();
    const answer = await ask(control.path, path, options);
    expect(answer).toEqual({ status, body: { error: { code: 'invalid', message: expect.any(String) } } });
    await control.close();
  });

  test('gives no more than a page at once', async () => {
    await using where = await place();
    const limits: number[] = [];
    const control = await where.listen(
      stub({
        repositories: async ({ limit }) => {
          limits.push(limit);
          return [];
        },
      }),
    );
    for (const query of ['', '?limit=5', '?limit=5000000']) {
      await ask(control.path, `/api/v1/repositories${query}`);
    }
    expect(limits).toEqual([1000, 5, 1000]);
    await control.close();
  });
});
