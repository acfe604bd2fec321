import { expect, inject, test } from 'vitest';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { larder, larderCommand } from '../support/e2e/larder.ts';
import { run } from '../support/e2e/process.ts';

const stock = inject('stock');
const { debian } = stock;

/** A real registry, and a mirror of it as Docker Hub. */
async function hub() {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await dockerRegistry({ stock: stock.storage }));
  const mirror = stack.use(await larder({ upstreams: { 'docker.io': { url: registry.url } } }));
  const owned = stack.move();
  return { registry, mirror, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

type Hub = Awaited<ReturnType<typeof hub>>;

async function ask(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await larderCommand(args, { DOCKER_CONFIG: '/nowhere' });
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** The same manifest by all the ways: by curl through the mirror, and by the command itself and through the mirror. */
async function everyAnswer({ registry, mirror }: Hub, reference: string): Promise<readonly string[]> {
  const separator = reference.startsWith('sha256:') ? '@' : ':';
  const types = [MediaType.ociIndex, MediaType.ociManifest].join(', ');
  return [
    await run('curl', [
      '-fsS',
      '-H',
      `Accept: ${types}`,
      `${mirror.url}/v2/library/debian/manifests/${reference}`,
    ]),
    await ask('manifest', `debian${separator}${reference}`, '--raw', '--via', mirror.host),
    await ask('manifest', `${registry.directHost}/library/debian${separator}${reference}`, '--raw'),
  ];
}

function digestsOf(answers: readonly string[]): readonly Digest[] {
  return answers.map((answer) => digestOf(answer));
}

test('a manifest by tag, and a child of it by digest, are the same by every way', async () => {
  await using scene = await hub();
  const index = debian.index.digest;
  expect(digestsOf(await everyAnswer(scene, 'bookworm'))).toEqual([index, index, index]);
  const child = debian.amd64.manifest.digest;
  expect(digestsOf(await everyAnswer(scene, child))).toEqual([child, child, child]);
});

test('the digest of a tag, and of its image for a platform', async () => {
  await using scene = await hub();
  const via = ['--via', scene.mirror.host];
  expect(await ask('digest', 'debian:bookworm', ...via)).toBe(`${debian.index.digest}\n`);
  const amd64 = await ask('digest', 'debian:bookworm', '--platform', 'linux/amd64', ...via);
  expect(amd64).toBe(`${debian.amd64.manifest.digest}\n`);
});

test("a blob's digest is computed from what curl gets, and compared", async () => {
  await using scene = await hub();
  const { layers } = JSON.parse(
    await ask(
      'manifest',
      'debian:bookworm',
      '--layers',
      '--platform',
      'linux/amd64',
      '--json',
      '--via',
      scene.mirror.host,
    ),
  ) as { readonly layers: readonly { readonly digest: Digest }[] };
  const digest = layers[0]?.digest ?? digestOf('');
  const blob = `${scene.mirror.url}/v2/library/debian/blobs/${digest}`;
  const script = `curl -fsSL ${blob} | "$NODE" "$LARDER" digest - --check ${digest}`;
  const env = { NODE: process.execPath, LARDER: new URL('../../src/cli/main.ts', import.meta.url).pathname };
  expect(await run('sh', ['-c', script], { env })).toBe(`${digest}\n`);
});
