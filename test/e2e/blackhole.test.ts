import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { stringify } from 'yaml';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerd } from '../support/e2e/dockerd.ts';
import { ask } from '../support/e2e/http-client.ts';
import { larder } from '../support/e2e/larder.ts';
import { run } from '../support/e2e/process.ts';
import { remoteHost, whyNoRemoteHost, type RemoteHost } from '../support/e2e/remote-host.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';

const { storage } = inject('stock');
const DEADLINE_MS = 2000;
const missing = await whyNoRemoteHost();
if (missing !== undefined)
  console.log(`blackhole: skipped, since no network namespace can be made (${missing})`);

test.skipIf(missing !== undefined)(
  'packets to upstream are dropped: warm pulls by tag succeed, the first within the deadline, the next at once',
  async () => {
    await using host = await remoteHost();
    await using directory = await temporaryDirectory('blackhole');
    const url = await registryOn(host, directory.path);
    await using mirror = await larder({
      upstreams: { 'docker.io': { url } },
      tags: { ttl: '1s', deadline: `${DEADLINE_MS}ms` },
    });
    await using docker = await dockerd(mirror.url);
    await using engine = await containerd({ 'docker.io': mirror.url });
    const copy = [
      'copy',
      '--quiet',
      '--src-tls-verify=false',
      `docker://${mirror.host}/library/debian:bookworm`,
    ];
    const pulls = {
      docker: () => docker.docker('pull', 'debian:bookworm'),
      containerd: () => engine.pull('docker.io/library/debian:bookworm'),
      skopeo: () => run('skopeo', [...copy, `dir:${join(directory.path, 'copy')}`]),
    };
    for (const pull of Object.values(pulls)) await pull();
    await docker.docker('image', 'prune', '--all', '--force');
    await engine.ctr('images', 'remove', '--sync', 'docker.io/library/debian:bookworm');
    await host.cutOff();
    await wait(1100); // the time to live: the tag has to be checked from now on

    const manifest = `${mirror.url}/v2/library/debian/manifests/bookworm`;
    const first = await timed(() => ask(manifest));
    const second = await timed(() => ask(manifest));
    console.log(
      `blackhole: first answer after ${first.ms} ms (deadline ${DEADLINE_MS} ms), second after ${second.ms} ms`,
    );

    for (const { value } of [first, second]) {
      expect(value.status).toBe(200);
      expect(value.headers['warning']).toContain('served from the cache without confirmation');
    }
    // Half a deadline to each side is more than a busy machine takes, and less than any other time to wait for.
    expect(Math.abs(first.ms - DEADLINE_MS)).toBeLessThan(DEADLINE_MS / 2);
    expect(second.ms).toBeLessThan(DEADLINE_MS / 2);
    for (const pull of Object.values(pulls)) await pull();
  },
);

/** Debian's docker-registry on the remote host, with the stock; @returns its URL. */
async function registryOn(host: RemoteHost, directory: string): Promise<string> {
  const file = join(directory, 'registry.yml');
  const config = {
    version: '0.1',
    log: { accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, maintenance: { readonly: { enabled: true } } },
    http: { addr: `${host.address}:5000` },
  };
  await writeFile(file, stringify(config));
  host.start('docker-registry', ['serve', file]);
  const url = `http://${host.address}:5000`;
  await until('the registry answers', async () =>
    (await ask(`${url}/v2/`)).status === 200 ? true : undefined,
  );
  return url;
}

async function timed<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const startedAt = performance.now();
  const value = await run();
  return { value, ms: Math.round(performance.now() - startedAt) };
}
