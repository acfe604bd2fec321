import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { SigningKeys } from './signing-keys.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const TOKEN_MS = 5 * MINUTE;

let folder: string;
let path: string;
let clock: ManualClock;
let events: LarderEvent[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  path = join(folder, 'access', 'keys.json');
  clock = new ManualClock();
  events = [];
});

afterEach(() => rm(folder, { recursive: true }));

function open(newId = 'first'): Promise<SigningKeys> {
  const bus = createEvents();
  bus.subscribe((event) => events.push(event));
  return SigningKeys.open({ path, clock, events: bus, newId: () => newId, tokenMs: TOKEN_MS });
}

function kids(keys: SigningKeys): readonly (string | undefined)[] {
  return keys.verifying.keys.map(({ kid }) => kid);
}

describe('the file', () => {
  it('is made for the first token, and only its owner may read it', async () => {
    const keys = await open();
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await keys.signing();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'access'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, 'access'))).toEqual(['keys.json']);
    expect(events).toEqual([]);
  });

  it('serves after a restart', async () => {
    const before = await open();
    const { kid } = await before.signing();
    const after = await open('second');
    expect(after.issuer).toBe('larder:first');
    expect((await after.signing()).kid).toBe(kid);
    expect(after.verifying).toEqual(before.verifying);
  });

  it.each([
    ['no JSON', '{"id": "first", "keys": [{"d": "secret"'],
    ['another value', '[]'],
    ['no name', '{"keys": []}'],
    ['no keys', '{"id": "first"}'],
    ['half a key', '{"id": "first", "keys": [{"kid": "a", "createdAt": 0}]}'],
    [
      'a key that is none',
      '{"id": "first", "keys": [{"kid": "a", "createdAt": 0, "jwk": {"kty": "EC", "crv": "P-256", "d": "secret"}}]}',
    ],
  ])('that is damaged is set aside: %s', async (_, text) => {
    await (await open()).signing();
    await writeFile(path, text);
    const keys = await open('second');
    expect(keys.issuer).toBe('larder:second');
    await keys.signing();
    expect((await open('third')).issuer).toBe('larder:second');
    expect(await readFile(`${path}.damaged`, 'utf8')).toBe(text);
    expect(events).toMatchObject([{ kind: 'keys-replaced', setAside: `${path}.damaged` }]);
    expect(String((events[0] as { error: unknown }).error)).not.toContain('secret');
  });

  it('that holds a public key only is damaged', async () => {
    const { keys } = JSON.parse(await (await open()).signing().then(() => readFile(path, 'utf8'))) as {
      keys: { jwk: { d?: string } }[];
    };
    delete keys[0]?.jwk.d;
    await writeFile(path, JSON.stringify({ id: 'first', keys }));
    expect(kids(await open('second'))).toEqual([]);
    expect(events).toMatchObject([{ kind: 'keys-replaced' }]);
  });

  it('that was readable by others is not any more once it is written', async () => {
    await (await open()).signing();
    await chmod(path, 0o644);
    clock.advance(30 * DAY);
    await (await open()).signing();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written is told, and the key serves until the end of the program', async () => {
    // A file where the folder should be.
    await writeFile(join(folder, 'access'), '');
    const keys = await open();
    const { kid } = await keys.signing();
    expect((await keys.signing()).kid).toBe(kid);
    expect(kids(keys)).toEqual([kid]);
    expect(events.map(({ kind }) => kind)).toContain('store-failed');
  });
});

describe('rotation', () => {
  it('makes a new key each 30 days, and the old one verifies as long as its tokens are valid', async () => {
    const keys = await open();
    const first = (await keys.signing()).kid;
    clock.advance(30 * DAY - 1);
    expect((await keys.signing()).kid).toBe(first);
    clock.advance(1);
    const second = (await keys.signing()).kid;
    expect(second).not.toBe(first);
    expect(kids(keys)).toEqual([first, second]);
    clock.advance(TOKEN_MS - 1);
    expect(kids(await open())).toEqual([first, second]);
    clock.advance(1);
    expect(kids(keys)).toEqual([second]);
    clock.advance(30 * DAY);
    const third = (await keys.signing()).kid;
    expect(kids(await open())).toEqual([second, third]);
    expect(await readFile(path, 'utf8')).not.toContain(first);
  });

  it('makes one key for callers at the same time', async () => {
    const keys = await open();
    const made = await Promise.all([keys.signing(), keys.signing(), keys.signing()]);
    expect(new Set(made.map(({ kid }) => kid)).size).toBe(1);
  });

  it('follows a key that a clock far ahead has made', async () => {
    clock.jump(400 * DAY);
    const ahead = (await (await open()).signing()).kid;
    clock.jump(-400 * DAY);
    expect((await (await open()).signing()).kid).not.toBe(ahead);
  });
});

it('gives out public halves only', async () => {
  const keys = await open();
  const { kid } = await keys.signing();
  expect(keys.verifying.keys).toEqual([
    { kid, alg: 'ES256', use: 'sig', kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) },
  ]);
});
