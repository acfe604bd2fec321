/** What a user at a terminal reads where nothing is cached and upstream fails: which upstream it is, and how. */
import { expect, test } from 'vitest';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerd } from '../support/e2e/dockerd.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { podman } from '../support/e2e/podman.ts';
import { freePort } from '../support/e2e/port.ts';

const TOLD = /registry\.example\.test: 127\.0\.0\.1:\d+: connection refused/;

async function mirrorOfNothing(): Promise<Larder> {
  const url = `http://127.0.0.1:${await freePort()}`;
  return larder({ upstreams: { 'registry.example.test': { url } } });
}

test('docker pull', async () => {
  await using mirror = await mirrorOfNothing();
  await using engine = await dockerd(mirror.url);
  await expect(engine.docker('pull', `${mirror.host}/team/app:1`)).rejects.toThrow(TOLD);
});

test('podman pull', async () => {
  await using mirror = await mirrorOfNothing();
  await using engine = await podman({});
  const image = `${mirror.host}/team/app:1`;
  await expect(engine.podman('pull', '--tls-verify=false', image)).rejects.toThrow(TOLD);
});

test('ctr images pull', async () => {
  await using mirror = await mirrorOfNothing();
  await using engine = await containerd({});
  const image = `${mirror.host}/team/app:1`;
  await expect(engine.ctr('images', 'pull', '--plain-http', image)).rejects.toThrow(TOLD);
});
