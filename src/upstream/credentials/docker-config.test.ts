import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../clock.ts';
import { findEntry, parseDockerConfig } from './docker-config.ts';
import { credentialSource } from './source.ts';

const hub = { name: 'docker.io', url: new URL('https://registry-1.docker.io') };
const own = { name: 'r.example', url: new URL('https://r.example:5443') };
const encode = (pair: string): string => Buffer.from(pair).toString('base64');
const password = (username: string, password: string) => ({
  kind: 'credentials',
  credentials: { kind: 'password', username, password },
});

describe('findEntry', () => {
  test.each(['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'https://registry-1.docker.io'])(
    'Docker Hub by its key %s',
    (key) => {
      const config = { auths: { [key]: { auth: encode('bot:p:w') } } };
      expect(findEntry(config, hub)).toEqual(password('bot', 'p:w'));
      expect(findEntry(config, own)).toBeUndefined();
    },
  );

  test.each([
    'r.example',
    'https://r.example',
    'https://R.example/v2/',
    'r.example:5443',
    'https://r.example:5443',
  ])('a registry by its key %s', (key) => {
    expect(findEntry({ auths: { [key]: { auth: encode('a:b') } } }, own)).toEqual(password('a', 'b'));
  });

  test('another port is another registry', () => {
    expect(findEntry({ auths: { 'r.example:5000': { auth: encode('a:b') } } }, own)).toBeUndefined();
  });

  test.each([
    [{ username: 'a', password: 'b' }, password('a', 'b')],
    [{ auth: encode('a:b\0\0') }, password('a', 'b')],
    [{ auth: encode('no colon') }, undefined],
    [{ auth: encode(':b') }, undefined],
    [{ auth: 7 }, undefined],
    [{}, undefined],
    ['text', undefined],
  ])('%j', (auth, expected) => {
    expect(findEntry({ auths: { 'r.example': auth } }, own)).toEqual(expected);
  });

  test('an identity token, in its member or as the password of <token>', () => {
    const expected = { kind: 'credentials', credentials: { kind: 'identity-token', token: 'refresh' } };
    const member = { auth: encode('user:'), identitytoken: 'refresh' };
    expect(findEntry({ auths: { 'r.example': member } }, own)).toEqual(expected);
    expect(findEntry({ auths: { 'r.example': { auth: encode('<token>:refresh') } } }, own)).toEqual(expected);
  });

  test('a helper of the registry before the store of all, and both before the file', () => {
    const auths = { 'r.example': { auth: encode('a:b') } };
    const config = { auths, credsStore: 'pass', credHelpers: { 'r.example': 'ecr-login' } };
    expect(findEntry(config, own)).toEqual({ kind: 'helper', name: 'ecr-login' });
    expect(findEntry({ auths, credsStore: 'pass' }, own)).toEqual({ kind: 'helper', name: 'pass' });
    expect(findEntry({ auths, credsStore: '' }, own)).toEqual(password('a', 'b'));
  });

  test('names that every JavaScript object has are no entries', () => {
    const odd = { name: 'constructor', url: new URL('https://constructor') };
    expect(findEntry({ auths: {}, credHelpers: {} }, odd)).toBeUndefined();
  });
});

test('a file that is no JSON is not quoted', () => {
  expect(() => parseDockerConfig('{"auths": secret', '/c.json')).toThrow(/^\/c\.json is not a JSON object$/);
  expect(() => parseDockerConfig('[]', '/c.json')).toThrow('is not a JSON object');
});

describe('sources', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'larder-credentials-'));
  });
  afterAll(async () => rm(folder, { recursive: true }));

  async function program(name: string, script: string): Promise<string> {
    const path = join(folder, `docker-credential-${name}`);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }

  const ask = (setting: Parameters<typeof credentialSource>[0], registry = own) =>
    credentialSource(setting, registry).get();

  test('a password file is read at each use, without its last line break', async () => {
    const path = join(folder, 'password');
    await writeFile(path, 'first\n');
    const source = credentialSource({ kind: 'password-file', username: 'bot', path }, own);
    expect(await source.get()).toEqual({ kind: 'password', username: 'bot', password: 'first' });
    await writeFile(path, ' second \r\n');
    expect(await source.get()).toEqual({ kind: 'password', username: 'bot', password: ' second ' });
    await writeFile(path, '\n');
    await expect(source.get()).rejects.toThrow('is empty');
    await writeFile(path, 'x'.repeat(70_000));
    await expect(source.get()).rejects.toThrow('is longer than 65536 bytes');
    await rm(path);
    await expect(source.get()).rejects.toThrow('cannot be read: ENOENT');
  });

  test('config.json is read at each use', async () => {
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify({ auths: { 'r.example': { auth: encode('a:b') } } }));
    const source = credentialSource({ kind: 'docker-config', path }, own);
    expect(await source.get()).toEqual({ kind: 'password', username: 'a', password: 'b' });
    await writeFile(path, '{}');
    expect(await source.get()).toBeUndefined();
  });

  test('a helper is asked for the server by stdin', async () => {
    const path = await program(
      'echo',
      'read server; echo "{\\"Username\\":\\"$1\\",\\"Secret\\":\\"$server\\"}"',
    );
    const expected = { kind: 'password', username: 'get', password: 'https://index.docker.io/v1/' };
    expect(await ask({ kind: 'helper', program: path }, hub)).toEqual(expected);
    expect(await ask({ kind: 'helper', program: path })).toMatchObject({ password: 'r.example' });
  });

  test('the user name <token> makes the secret an identity token', async () => {
    const path = await program('token', 'echo \'{"Username":"<token>","Secret":"refresh"}\'');
    expect(await ask({ kind: 'helper', program: path })).toEqual({
      kind: 'identity-token',
      token: 'refresh',
    });
  });

  test('callers that wait share one run of a helper; it runs again only after a refusal or some minutes', async () => {
    const log = join(folder, 'runs');
    const path = await program(
      'counted',
      `echo run >> ${log}; wc -l < ${log} > ${log}.n; echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"$(tr -d ' ' < ${log}.n)\\"}"`,
    );
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const source = credentialSource({ kind: 'helper', program: path }, own, clock);
    const [one, other] = await Promise.all([source.get(), source.get()]);
    expect(one).toEqual(other);
    expect(await source.get()).toMatchObject({ password: '1' });
    source.invalidate();
    expect(await source.get()).toMatchObject({ password: '2' });
    now = 5 * 60_000;
    expect(await source.get()).toMatchObject({ password: '3' });
  });

  test('a helper that knows no account means anonymous', async () => {
    const path = await program('none', 'echo "credentials not found in native keychain"; exit 1');
    expect(await ask({ kind: 'helper', program: path })).toBeUndefined();
  });

  test.each([
    ['fails', 'echo secret; echo secret >&2; exit 3', 'failed with 3'],
    ['nothing', 'true', 'wrote something else than an account'],
    ['partial', 'echo \'{"Username":"u"}\'', 'wrote something else than an account'],
    ['long', 'head -c 300000 /dev/zero', 'wrote more than 262144 bytes'],
  ])('a helper that %s', async (name, script, message) => {
    const path = await program(name, script);
    const error: unknown = await ask({ kind: 'helper', program: path }).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'CredentialError', message: `${path} ${message}` });
  });

  test('rejects a helper that is missing, or whose name is a path', async () => {
    await expect(ask({ kind: 'helper', program: 'larder-test-absent' })).rejects.toThrow(
      'docker-credential-larder-test-absent is not installed',
    );
    await expect(ask({ kind: 'helper', program: '../../bin/sh' })).rejects.toThrow('is not the name of a');
    const path = join(folder, 'hostile.json');
    await writeFile(path, JSON.stringify({ credsStore: 'x/../../../bin/sh' }));
    await expect(ask({ kind: 'docker-config', path })).rejects.toThrow('is not the name of a');
  });
});
