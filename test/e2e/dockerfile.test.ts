import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { ask } from '../support/e2e/http-client.ts';
import { imageBuilder } from '../support/e2e/image-build.ts';
import { freePort } from '../support/e2e/port.ts';
import { run, startProcess } from '../support/e2e/process.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';

const { app, rootFileSystem, storage } = inject('stock');
const root = join(import.meta.dirname, '../..');

/** The image that the Dockerfile builds from unless told otherwise. */
async function namedBase(): Promise<string> {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
  return /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)?.[1] ?? '';
}

test('the Dockerfile builds an image that serves, as nobody, from a read-only root file system', async (context) => {
  await using builder = await imageBuilder(await namedBase(), rootFileSystem);
  const reason = await builder.unable();
  if (reason !== undefined) console.log(`skipped, images cannot be built or run here: ${reason}`);
  context.skip(reason !== undefined, reason);
  await using registry = await dockerRegistry({ stock: storage });
  await using directory = await temporaryDirectory('container');
  const cache = join(directory.path, 'cache');
  await mkdir(cache);
  await chown(cache, 65532, 65532);
  const config = join(directory.path, 'config.yaml');
  await writeFile(config, stringify({ upstreams: { 'docker.io': { url: registry.url } } }));

  await builder.build(root, 'localhost/larder:test');

  const image = JSON.parse(await builder.podman('inspect', 'localhost/larder:test')) as [ImageInspection];
  expect(image[0].Config).toMatchObject({ User: '65532:65532', StopSignal: 'SIGTERM' });
  expect(image[0].Healthcheck?.Test.slice(0, 2)).toEqual(['CMD', 'node']);
  expect(await run('podman', builder.podmanRun('localhost/larder:test', [], ['--version']))).toMatch(
    /^\d+\.\d+\.\d+/,
  );
  const port = await freePort();
  const volumes = [`${config}:/etc/larder/config.yaml:ro`, `${cache}:/var/lib/larder`];
  const mounts = volumes.flatMap((volume) => ['--volume', volume]);
  const options = ['--name', 'larder', '--env', `LARDER_LISTEN=127.0.0.1:${port}`, ...mounts];
  await using serving = startProcess('podman', builder.podmanRun('localhost/larder:test', options, []));
  await until('the container is ready', async () => {
    if (serving.hasExited()) return 'ended';
    return (await ask(`http://127.0.0.1:${port}/readyz`)).status === 200 ? 'ready' : undefined;
  });
  expect(serving.hasExited()).toBe(false);

  const manifest = await ask(`http://127.0.0.1:${port}/v2/team/app/manifests/1`);
  expect(manifest).toMatchObject({ status: 200, digest: app.manifest.digest });
  const [command, ...healthCheck] = image[0].Healthcheck?.Test ?? [];
  expect(command).toBe('CMD');
  await builder.podman('exec', 'larder', ...healthCheck);
  await builder.podman('stop', 'larder');
  expect(await serving.exited).toMatchObject({ code: 0 });
});

interface ImageInspection {
  readonly Config: { readonly User: string; readonly StopSignal: string };
  readonly Healthcheck?: { readonly Test: readonly string[] };
}
