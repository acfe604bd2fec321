import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { ask } from '../support/e2e/http-client.ts';
import { larder, larderCommand, serveToItsEnd } from '../support/e2e/larder.ts';
import { PASSWORDS } from '../support/e2e/secrets.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';

const { storage } = inject('stock');

test('a config with three mistakes prints three lines that name them and ends with 2', async () => {
  const text = [
    'listen: 127.0.0.1:0',
    'cache:',
    '  maxSize: 10 parsecs',
    'tags:',
    '  tll: 5m',
    'upstreams:',
    '  docker.io:',
    '  registry.example.test:',
    '    url: ftp://registry.example.test',
    '',
  ].join('\n');

  const exit = await serveToItsEnd(text);

  expect(exit.code).toBe(2);
  const lines = exit.stderr.trim().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/config\.yaml:3\b.*cache\.maxSize/);
  expect(lines[1]).toMatch(/config\.yaml:5\b.*tags\.tll/);
  expect(lines[2]).toMatch(/config\.yaml:9\b.*upstreams\..*registry\.example\.test.*url/);
});

test('a config file that is not there is named, and ends with 2', async () => {
  const exit = await larderCommand(['serve', '--config', '/nonexistent/config.yaml']);

  expect(exit.code).toBe(2);
  expect(exit.stderr).toContain('/nonexistent/config.yaml');
});

test('larder check prints the configuration in effect and no secret', async () => {
  await using directory = await temporaryDirectory('config');
  const file = join(directory.path, 'config.yaml');
  const credentials = '    credentials: { username: bot, password: "${TEST_TOKEN}" }';
  await writeFile(file, ['upstreams:', '  docker.io:', '  ghcr.io:', credentials, ''].join('\n'));

  const exit = await larderCommand(['check', '--config', file], { TEST_TOKEN: 'hunter2-in-the-larder' });

  expect(exit.code).toBe(0);
  expect(exit.stdout).toContain('ghcr.io');
  expect(exit.stdout).toContain('username: bot');
  expect(exit.stdout + exit.stderr).not.toContain('hunter2-in-the-larder');
});

describe('beyond loopback with credentials', () => {
  const upstreams = [
    'upstreams:',
    '  docker.io:',
    '  ghcr.io:',
    `    credentials: { username: bot, password: ${PASSWORDS.bot} }`,
    '',
  ];

  test('is refused with the reason, before anything listens', async () => {
    const exit = await serveToItsEnd(['listen: 0.0.0.0:0', ...upstreams].join('\n'));

    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain('access');
    expect(exit.stderr).toContain('anonymous: pull');
    expect(exit.stderr).not.toContain(PASSWORDS.bot);
  });

  test('passes the check once the config says that anybody may pull', async () => {
    await using directory = await temporaryDirectory('config');
    const file = join(directory.path, 'config.yaml');
    const access = 'access: { anonymous: pull }';
    await writeFile(file, ['listen: 0.0.0.0:5000', access, ...upstreams].join('\n'));

    expect(await larderCommand(['check', '--config', file])).toMatchObject({ code: 0 });
  });
});

test('an unknown ns gets 404 and nobody is dialled for it', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });
  const unknown = [
    `127.0.0.1:${registry.proxy.port}`,
    'localhost',
    '169.254.169.254',
    'evil.example.test',
    '',
  ];

  for (const ns of unknown) {
    const answer = await ask(`${mirror.url}/v2/team/app/manifests/1?ns=${encodeURIComponent(ns)}`);
    expect([ns, answer.status]).toEqual([ns, 404]);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] });
  }
  expect(registry.proxy.connections()).toBe(0);
});

describe('what is not a name, a tag, a digest or a number', () => {
  const hex = 'a'.repeat(64);
  const paths = [
    '/v2/../etc/passwd',
    '/v2/team/../app/manifests/1',
    '/v2/team/%2e%2e/app/manifests/1',
    '/v2/team%2fapp/manifests/1',
    '/v2/team/app/manifests/..%2f..%2fpasswd',
    '/v2/team/app/blobs/..%2f..%2f..%2fetc%2fpasswd',
    '/v2/Team/App/manifests/1',
    '/v2/team//app/manifests/1',
    `/v2/team/app/blobs/sha256:${hex.toUpperCase()}`,
    `/v2/team/app/manifests/SHA256:${hex}`,
    `/v2/team/app/blobs/sha256:${hex.slice(1)}`,
    `/v2/team/app/blobs/md5:${'a'.repeat(32)}`,
    `/v2/${'a'.repeat(300)}/manifests/1`,
    `/v2/team/app/manifests/${'a'.repeat(300)}`,
    '/v2/team/app/tags/list?n=-1',
    '/v2/team/app/tags/list?n=1e9',
    '/v2/team/app/tags/list?n=ten',
    '/v2/_catalog?n=-1',
    '/v2/_catalog?n=1e9',
    '/v2/team/app/manifests/%00',
    '/v2/team/app/manifests/%zz',
    '/v2/team/app/unknown/1',
  ];

  test('gets a clean 4xx and reaches no upstream', async () => {
    await using registry = await dockerRegistry({ stock: storage });
    await using mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });

    for (const path of paths) {
      const answer = await ask(`${mirror.url}${path}`);
      expect([path, Math.floor(answer.status / 100)]).toEqual([path, 4]);
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
      const { errors } = JSON.parse(answer.body.toString()) as {
        errors: { code: string; message: string }[];
      };
      expect([path, errors[0]?.code]).toEqual([path, expect.stringMatching(/^[A-Z_]+$/)]);
    }
    expect(registry.proxy.connections()).toBe(0);
    expect(await ask(`${mirror.url}/v2/`)).toMatchObject({ status: 200 });
  });
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
  '%s is refused: Larder mirrors, it takes nothing',
  async (method) => {
    await using registry = await dockerRegistry({ stock: storage });
    await using mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });

    const answer = await ask(`${mirror.url}/v2/team/app/manifests/1`, { method });

    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
    expect(registry.proxy.connections()).toBe(0);
  },
);
