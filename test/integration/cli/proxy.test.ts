import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { larder, type LarderOptions } from '../../support/e2e/larder.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { get } from '../../support/http-get.ts';
import { startForwardProxy } from '../../support/proxy.ts';

/** No proxy of the machine that the tests run on. */
const NO_ENVIRONMENT = { http_proxy: '', https_proxy: '', HTTPS_PROXY: '', no_proxy: '', NO_PROXY: '' };

/** What the proxy was asked where a manifest of `registry.test` is pulled with this configuration. */
async function pull(
  config: (proxy: URL) => object,
  env: (proxy: URL) => LarderOptions['env'],
): Promise<{ status: number; log: readonly string[]; output: string }> {
  await using registry = await startFakeRegistry();
  await using proxy = await startForwardProxy({ password: 'p@ss' });
  registry.putImage('acme/app', '1');
  // It resolves nowhere but at the proxy.
  const url = `http://registry.test:${registry.url.port}`;
  await using program = await larder(
    {
      upstreams: { 'registry.test': { url, ...config(proxy.url) } },
      timeouts: { connect: '2s', headers: '2s' },
    },
    { env: { ...NO_ENVIRONMENT, ...env(proxy.url) } },
  );
  const { status } = await get(new URL(program.url), '/v2/acme/app/manifests/1');
  const { stdout, stderr } = await program.stop();
  return { status, log: proxy.log, output: stdout + stderr };
}

const withAccount = (url: URL): string => url.href.replace('//', '//me:p%40ss@');
const ACCOUNT = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;

describe('a registry that is reached through a proxy', () => {
  test('by its URL, the account in it', async () => {
    const { status, log, output } = await pull(
      (proxy) => ({ proxy: withAccount(proxy) }),
      () => ({}),
    );
    expect(status).toBe(200);
    expect(log.length).toBeGreaterThan(0);
    expect(log.every((line) => line.endsWith(ACCOUNT))).toBe(true);
    expect(output).not.toMatch(/p@ss|p%40ss/);
  });

  test('with an account in a file', async () => {
    await using directory = await temporaryDirectory('proxy');
    const passwordFile = join(directory.path, 'password');
    await writeFile(passwordFile, 'p@ss\n');
    const proxyCredentials = { username: 'me', passwordFile };
    expect(
      (
        await pull(
          ({ href }) => ({ proxy: href, proxyCredentials }),
          () => ({}),
        )
      ).status,
    ).toBe(200);
  });

  test('by the environment', async () => {
    const { status, log } = await pull(
      () => ({}),
      (proxy) => ({ http_proxy: withAccount(proxy) }),
    );
    expect(status).toBe(200);
    expect(log.length).toBeGreaterThan(0);
  });

  test.each<[string, object, Readonly<Record<string, string>>]>([
    ['its configuration wants none', { proxy: 'none' }, {}],
    ['the environment excepts it', {}, { NO_PROXY: '.test' }],
  ])('not where %s', async (_, config, env) => {
    const { status, log } = await pull(
      () => config,
      (proxy) => ({ http_proxy: withAccount(proxy), ...env }),
    );
    expect([status, log]).toEqual([502, []]);
  });
});
