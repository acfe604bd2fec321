import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { htpasswd } from '../../support/access-settings.ts';
import { larder, larderCommand } from '../../support/e2e/larder.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { get } from '../../support/http-get.ts';

const ALICE = { Authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}` };

test('explain says what the running server does, and says it without one', async () => {
  await using registry = await startFakeRegistry();
  await using directory = await temporaryDirectory('access');
  registry.putImage('acme/app', 'latest');
  const users = join(directory.path, 'users.htpasswd');
  await writeFile(users, htpasswd({ alice: 'secret' }));
  const config = {
    upstreams: { 'registry.test': { url: registry.url.href } },
    defaultUpstream: 'registry.test',
    access: {
      users,
      rules: [{ repositories: ['registry.test/acme/**'], who: ['user:alice'], allow: ['pull'] }],
    },
  };
  const file = join(directory.path, 'config.yaml');
  await writeFile(file, JSON.stringify(config));
  const explained = async (): Promise<readonly unknown[]> => {
    const codes = ['user:alice', 'anonymous'].map(async (who) => {
      const exit = await larderCommand(['access', 'explain', '--config', file, '--as', who, 'acme/app']);
      return [exit.code, exit.stdout.split('\n', 1)[0]];
    });
    return Promise.all(codes);
  };
  const expected = [
    [0, 'allowed: user:alice may pull registry.test/acme/app'],
    [1, 'denied: anonymous may not pull registry.test/acme/app'],
  ];
  expect(await explained()).toEqual(expected);

  await using mirror = await larder(config, { cacheDirectory: join(directory.path, 'cache') });
  const pull = async (headers: Record<string, string>): Promise<number> =>
    (await get(new URL(mirror.url), '/v2/acme/app/manifests/latest', { headers })).status;
  expect(await Promise.all([pull(ALICE), pull({})])).toEqual([200, 401]);
  expect(mirror.process.stderr()).toContain(`closed: 1 rule; users from ${users}`);
  expect(await explained()).toEqual(expected);
});
