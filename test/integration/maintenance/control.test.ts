import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createServer as createNetServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Api } from '../../../src/api/api.ts';
import { ApiClient } from '../../../src/api/client/api-client.ts';
import { httpTransport } from '../../../src/api/client/http-transport.ts';
import { isListening } from '../../../src/app/operator/is-listening.ts';
import {
  findControlSocket,
  listenControl,
  type ControlSocket,
} from '../../../src/server/api/control-socket.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';

interface Place extends AsyncDisposable {
  readonly directory: string;
  readonly elsewhere: string;
  listen(answer?: Api['answer']): Promise<ControlSocket>;
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
    listen: (answer = () => Promise.reject(new Error('not asked'))) =>
      listenControl({ api: { answer }, directory, temporaryDirectory: elsewhere }),
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

describe('the control socket', () => {
  test('is in the cache directory, and its owner alone may connect', async () => {
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

  test('cuts a client that is still connected when it is closed', async () => {
    await using where = await place();
    const begun = Promise.withResolvers<void>();
    const control = await where.listen(() => {
      begun.resolve();
      return new Promise(() => {});
    });
    const client = new ApiClient(httpTransport({ socketPath: control.path }));
    const asked = client.call('stats', { query: {} }).catch((error: unknown) => error);
    await begun.promise;
    await control.close();
    expect(await asked).toMatchObject({ code: 'failed', message: 'the server has ended the connection' });
  });
});
