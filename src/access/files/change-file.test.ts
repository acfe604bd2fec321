import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as realPause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeFile } from './change-file.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  path = join(folder, 'users');
});

afterEach(() => rm(folder, { recursive: true }));

const pause = (): Promise<unknown> => nextTurn();

describe('changing a file', () => {
  it('makes it and its folder, for their owner alone', async () => {
    const inner = join(folder, 'access', 'tokens.json');
    await changeFile(inner, pause, (text) => `${text} new`);
    expect(await readFile(inner, 'utf8')).toBe('undefined new');
    expect((await stat(inner)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'access'))).mode & 0o777).toBe(0o700);
  });

  it('keeps its mode, and leaves nothing beside it', async () => {
    await writeFile(path, 'old');
    await chmod(path, 0o640);
    await changeFile(path, pause, (text) => `${text} new`);
    expect(await readFile(path, 'utf8')).toBe('old new');
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(['users']);
  });

  it.runIf(process.getuid?.() === 0)('as root keeps its owner, or gives it that of the folder', async () => {
    const { chown } = await import('node:fs/promises');
    await writeFile(path, 'old');
    await chown(path, 1234, 1235);
    await changeFile(path, pause, () => 'new');
    expect(await stat(path)).toMatchObject({ uid: 1234, gid: 1235 });
    await chown(folder, 1236, 1237);
    const inner = join(folder, 'access', 'tokens.json');
    await changeFile(inner, pause, () => 'new');
    expect(await stat(inner)).toMatchObject({ uid: 1236, gid: 1237 });
    expect(await stat(join(folder, 'access'))).toMatchObject({ uid: 1236, gid: 1237 });
  });

  it('changes the file behind a symbolic link', async () => {
    await mkdir(join(folder, 'real'));
    await writeFile(join(folder, 'real', 'users'), 'old');
    await symlink('real/users', path);
    await changeFile(path, pause, () => 'new');
    expect(await readFile(join(folder, 'real', 'users'), 'utf8')).toBe('new');
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  it('loses no change of several at once', async () => {
    const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    await Promise.all(letters.map((letter) => changeFile(path, realPause, (text = '') => text + letter)));
    expect((await readFile(path, 'utf8')).split('').sort()).toEqual(letters);
  });

  it('changes nothing if there is nothing to change, or the change fails', async () => {
    await writeFile(path, 'old');
    await changeFile(path, pause, () => undefined);
    const fail = (): string => {
      throw new Error('no');
    };
    await expect(changeFile(path, pause, fail)).rejects.toThrow('no');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['users']);
  });

  it('says what is in the way after an interrupted change, and leaves that alone', async () => {
    await writeFile(path, 'old');
    await writeFile(`${path}.new`, 'half');
    await expect(changeFile(path, pause, () => 'new')).rejects.toThrow(`if none runs, delete ${path}.new`);
    expect([await readFile(path, 'utf8'), await readFile(`${path}.new`, 'utf8')]).toEqual(['old', 'half']);
  });
});
