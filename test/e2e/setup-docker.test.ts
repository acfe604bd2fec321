/** README's set-up of Docker, followed to the letter but for the port: what a person types who reads nothing else. */
import { expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { dockerdBy } from '../support/e2e/dockerd.ts';
import { changed, documented } from '../support/e2e/documented.ts';
import { larder } from '../support/e2e/larder.ts';
import { loggedPulls } from '../support/e2e/logged-pulls.ts';
import { run } from '../support/e2e/process.ts';

const { storage, app } = inject('stock');

test('README’s daemon.json: docker pull debian, and of another registry by Larder’s name', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await copyOf(registry.directHost, 'team/app:1', ['library/debian:latest', 'acme/app:1.0']);
  const { url } = registry;
  await using mirror = await larder({ upstreams: { 'docker.io': { url }, 'ghcr.io': { url } } });
  const { path, text } = documented('README.md', 'Docker');
  expect(path).toBe('/etc/docker/daemon.json');
  await using engine = await dockerdBy({ daemonJson: changed(text, { '127.0.0.1:5000': mirror.host }) });

  await engine.docker('pull', 'debian');
  await engine.docker('pull', `${mirror.host}/ghcr.io/acme/app:1.0`);

  const layers = app.layers.map((layer) => layer.diffId);
  expect(await engine.savedLayers('debian')).toEqual(layers);
  expect(await engine.savedLayers(`${mirror.host}/ghcr.io/acme/app:1.0`)).toEqual(layers);
  expect(await loggedPulls(mirror, 'docker', 2)).toEqual([
    { upstream: 'docker.io', repository: 'library/debian', client: '127.0.0.1' },
    { upstream: 'ghcr.io', repository: 'acme/app', client: '127.0.0.1' },
  ]);
});

/** The same image under other names. */
async function copyOf(host: string, image: string, names: readonly string[]): Promise<void> {
  const tls = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  for (const name of names) {
    await run('skopeo', ['copy', '--quiet', ...tls, `docker://${host}/${image}`, `docker://${host}/${name}`]);
  }
}
