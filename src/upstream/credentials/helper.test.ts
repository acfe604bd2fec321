import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { CredentialSource } from './credentials.ts';
import { helperSource } from './helper.ts';

const REGISTRY = { name: 'registry.test', url: new URL('https://registry.test') };
const ACCOUNT = `echo '{"Username":"bot","Secret":"pw"}'`;

/** Makes a helper that runs the shell command, and counts its runs. */
async function start(
  command: string,
): Promise<{ source: CredentialSource; clock: ManualClock; runs: () => Promise<number> }> {
  const directory = await mkdtemp(join(tmpdir(), 'larder-helper-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const program = join(directory, 'helper');
  const log = join(directory, 'log');
  await writeFile(log, '');
  await writeFile(program, `#!/bin/sh\ncat >> ${log}; echo >> ${log}\n${command}\n`);
  await chmod(program, 0o755);
  const clock = new ManualClock();
  const runs = async (): Promise<number> => (await readFile(log, 'utf8')).split('\n').length - 1;
  return { source: helperSource(program, REGISTRY, clock), clock, runs };
}

test('a helper that fails is run once for all callers that wait, and again after 30 seconds', async () => {
  const { source, clock, runs } = await start('exit 1');
  const together = await Promise.allSettled([source.get(), source.get(), source.get()]);
  expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  clock.advance(29_999);
  source.invalidate();
  await expect(source.get()).rejects.toThrow('failed with 1');
  expect(await runs()).toBe(1);
  clock.advance(1);
  await expect(source.get()).rejects.toThrow('failed with 1');
  expect(await runs()).toBe(2);
});

test('a helper whose account is refused is run once more, and then not for 30 seconds', async () => {
  const { source, clock, runs } = await start(ACCOUNT);
  const account = { kind: 'password', username: 'bot', password: 'pw' };
  for (let i = 0; i < 5; i += 1) {
    expect(await source.get()).toEqual(account);
    source.invalidate();
  }
  expect(await source.get()).toEqual(account);
  expect(await runs()).toBe(2);
  clock.advance(30_000);
  source.invalidate();
  expect(await source.get()).toEqual(account);
  expect(await runs()).toBe(3);
});

test("a helper's answer is used for five minutes", async () => {
  const { source, clock, runs } = await start(ACCOUNT);
  await source.get();
  clock.advance(299_999);
  await source.get();
  expect(await runs()).toBe(1);
  clock.advance(1);
  await source.get();
  expect(await runs()).toBe(2);
});
