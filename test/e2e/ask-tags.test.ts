import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { dockerRegistry, type RegistryAuth } from '../support/e2e/docker-registry.ts';
import { larder, larderCommand } from '../support/e2e/larder.ts';
import { run } from '../support/e2e/process.ts';
import { PASSWORDS } from '../support/e2e/secrets.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';

const stock = inject('stock');
const { manyTags, app } = stock;

async function ask(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await larderCommand(args, { DOCKER_CONFIG: '/nowhere', ...env });
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

test('the number of tags and the newest of 2,000 are the same by every way', async () => {
  await using registry = await dockerRegistry({ stock: manyTags.storage });
  await using mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });
  const straight = [`${registry.directHost}/team/many`];
  const through = ['team/many', '--via', mirror.host];
  const newest = `v${manyTags.count - 1}\n`;

  const pages = ['?n=1000', '?n=1000&last=v0999'].map(async (query) => {
    const page = await run('curl', ['-fsS', `${mirror.url}/v2/team/many/tags/list${query}`]);
    return (JSON.parse(page) as { tags: readonly string[] }).tags;
  });
  const byCurl = (await Promise.all(pages)).flat();
  expect([byCurl.length, byCurl.at(-1)]).toEqual([manyTags.count, newest.trim()]);

  for (const way of [straight, through]) {
    expect(await ask(['tags', ...way, '--count'])).toBe(`${manyTags.count}\n`);
    expect(await ask(['latest', ...way])).toBe(newest);
  }
});

test('the repositories of a registry are listed', async () => {
  await using registry = await dockerRegistry({ stock: stock.storage });
  const names = (await ask(['catalog', registry.directHost])).trim().split('\n');
  expect(names).toEqual(expect.arrayContaining(['library/debian', 'team/app']));
});

const ACCOUNT = { username: 'mirror', password: PASSWORDS.registry };

test.each(['htpasswd', 'token'] as const)(
  'an account of config.json and one of a credential helper are used (%s)',
  async (auth: RegistryAuth) => {
    await using directory = await temporaryDirectory('accounts');
    await using registry = await dockerRegistry({ auth, stock: stock.storage });
    const host = new URL(registry.url).host;
    const encoded = Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64');
    const kept = await configFile(directory.path, 'kept', { auths: { [host]: { auth: encoded } } });
    expect(await ask(['tags', `${host}/team/app`], { DOCKER_CONFIG: kept })).toBe('1\n');

    const bin = await helper(directory.path, host);
    const helped = await configFile(directory.path, 'helped', { credHelpers: { [host]: 'of-the-test' } });
    const env = { DOCKER_CONFIG: helped, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    expect(await ask(['digest', `${host}/team/app:1`], env)).toBe(`${app.manifest.digest}\n`);

    const { code, stderr } = await larderCommand(['tags', `${host}/team/app`], { DOCKER_CONFIG: '/nowhere' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^larder: .*answered 401.*\n$/);
  },
);

async function configFile(directory: string, name: string, config: object): Promise<string> {
  const folder = join(directory, name);
  await mkdir(folder);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

/** Makes a credential helper that knows the account for one host. @returns its directory */
async function helper(directory: string, host: string): Promise<string> {
  const path = join(directory, 'docker-credential-of-the-test');
  const answer = JSON.stringify({ Username: ACCOUNT.username, Secret: ACCOUNT.password });
  const script = `#!/bin/sh\nread server\n[ "$server" = ${host} ] || exit 1\necho '${answer}'\n`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return directory;
}
