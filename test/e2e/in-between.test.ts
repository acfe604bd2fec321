import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerRegistry, type RegistryAuth } from '../support/e2e/docker-registry.ts';
import { dockerd } from '../support/e2e/dockerd.ts';
import { front, type Trouble } from '../support/e2e/front.ts';
import { ask } from '../support/e2e/http-client.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { podman } from '../support/e2e/podman.ts';
import { run } from '../support/e2e/process.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';

const { app, storage } = inject('stock');
const IMAGE = 'docker.io/team/app:1';

const TROUBLES: readonly (readonly [string, RegistryAuth, Trouble])[] = [
  [
    'an ingress without a backend',
    'open',
    { directives: 'return 404 "default backend - 404";', status: 404 },
  ],
  [
    'a block page for everything',
    'open',
    { directives: 'default_type text/html; return 403 "<html>Blocked</html>";', status: 403 },
  ],
  [
    'a token endpoint that answers 403',
    'token',
    { path: '/token', directives: 'return 403 "Forbidden";', status: 403 },
  ],
];

interface Client {
  readonly pull: () => Promise<unknown>;
  readonly forget: () => Promise<unknown>;
}

test.each(TROUBLES)(
  'in place of the registry, %s: all clients pull what is cached, and then what is new',
  async (_name, auth, trouble) => {
    await using stack = new AsyncDisposableStack();
    const registry = stack.use(await dockerRegistry({ stock: storage, auth }));
    const nginx = stack.use(await front(registry.directUrl, registry.tokens));
    const cache = stack.use(await temporaryDirectory('in-between'));
    const config = {
      upstreams: {
        'docker.io': { url: nginx.url, ...(registry.account && { credentials: registry.account }) },
      },
      tags: { ttl: '1s' },
    };
    const first = await larder(config, { cacheDirectory: join(cache.path, 'cache') });
    const { host } = first;
    const clients = await clientsOf(first, stack, cache.path);
    for (const { pull } of clients) await pull();

    // A new process has no token left.
    await first.stop();
    await nginx.become(trouble);
    const mirror = stack.use(await larder(config, { cacheDirectory: join(cache.path, 'cache'), host }));
    for (let round = 0; round < 2; round += 1) {
      for (const { forget, pull } of clients) {
        await wait(1_100); // the time to live: the tag has to be checked from now on
        await forget();
        await pull();
      }
    }
    const manifest = `${mirror.url}/v2/team/app/manifests/1`;
    expect((await ask(manifest)).headers['warning']).toContain('docker.io: ');

    await nginx.become(undefined);
    await wait(1_100);
    const after = await ask(manifest);
    expect([after.status, after.digest, after.headers['warning']]).toEqual([
      200,
      app.manifest.digest,
      undefined,
    ]);
    for (const { forget, pull } of clients) {
      await forget();
      await pull();
    }
  },
);

async function clientsOf(
  mirror: Larder,
  stack: AsyncDisposableStack,
  directory: string,
): Promise<readonly Client[]> {
  const docker = stack.use(await dockerd(mirror.url));
  const engine = stack.use(await containerd({ 'docker.io': mirror.url }));
  const pod = stack.use(await podman({ 'docker.io': mirror.host }));
  const copied = join(directory, 'copied');
  return [
    {
      pull: () => docker.docker('pull', 'team/app:1'),
      forget: () => docker.docker('image', 'prune', '--all', '--force'),
    },
    {
      pull: () => engine.pull(IMAGE),
      forget: () => engine.ctr('images', 'remove', '--sync', IMAGE),
    },
    {
      pull: () => pod.podman('pull', '--quiet', IMAGE),
      forget: () => pod.podman('rmi', '--all', '--force'),
    },
    {
      pull: () =>
        run('skopeo', [
          'copy',
          '--quiet',
          '--src-tls-verify=false',
          `docker://${mirror.host}/team/app:1`,
          `dir:${copied}`,
        ]),
      forget: () => run('rm', ['-rf', copied]),
    },
  ];
}
