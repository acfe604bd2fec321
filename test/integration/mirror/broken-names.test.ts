import { expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { startMirror } from '../../support/mirror-fixture.ts';
import { instead, registryError, status, type Reply } from '../../support/scripted-reply.ts';

const LAYER = Buffer.from('a layer');
const COLD = Array.from({ length: 49 }, (_, i) => `acme/good-${i}`);

/** Ten requests for what is broken, then a cold pull of another repository; 49 times, five pulls a second. */
async function pullBeside(
  brokenPath: (second: number, i: number) => string,
  broken: Reply,
): Promise<string[]> {
  await using registry = await startFakeRegistry();
  for (const name of COLD) registry.putImage(name, 'latest', { layers: [LAYER] });
  registry.putImage('acme/one', 'latest', { layers: [LAYER] });
  for (const filter of [{ reference: 'broken' }, { digest: digestOf('broken') }] as const) {
    registry.fault(filter, instead(broken));
  }
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  const wrong: string[] = [];
  for (const [pull, name] of COLD.entries()) {
    for (let i = 0; i < 10; i += 1) await mirror.get(brokenPath(pull, i));
    for (const path of [`/v2/${name}/manifests/latest`, `/v2/${name}/blobs/${digestOf(LAYER)}`]) {
      const answer = await mirror.get(path);
      if (answer.status !== 200) wrong.push(`${path}: ${answer.status} ${answer.body.toString()}`);
    }
    mirror.clock.advance(200);
  }
  return wrong;
}

const NAMES: readonly (readonly [string, (pull: number, i: number) => string])[] = [
  ['one name', () => '/v2/broken/name/manifests/broken'],
  ['many names', (pull, i) => `/v2/broken/name-${pull}-${i}/manifests/broken`],
  ['one blob of a repository', () => `/v2/acme/one/blobs/${digestOf('broken')}`],
];

const LIMIT = registryError(429, 'TOOMANYREQUESTS', { headers: { 'retry-after': '900' } });

test.each(
  NAMES.flatMap(([name, path]) => [
    { name, code: '500', reply: status(500), path },
    { name, code: '503', reply: registryError(503, 'UNAVAILABLE'), path },
    // Where many names in a row are answered so, it is taken for a limit of all.
    ...(name === 'many names' ? [] : [{ name, code: '429 for a quarter of an hour', reply: LIMIT, path }]),
  ]),
)(
  'ten requests a second for $name that is answered $code refuse no cold pull of others',
  async ({ path, reply }) => {
    expect(await pullBeside(path, reply)).toEqual([]);
  },
);

test('one broken blob does not take the rest of its repository', async () => {
  await using registry = await startFakeRegistry();
  registry.putImage('acme/one', 'latest', { layers: [LAYER] });
  registry.fault({ digest: digestOf('broken') }, instead(status(500)));
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  for (let i = 0; i < 20; i += 1) await mirror.get(`/v2/acme/one/blobs/${digestOf('broken')}`);
  // It is left alone itself.
  expect(registry.count({ digest: digestOf('broken') })).toBe(5);
  expect((await mirror.get('/v2/acme/one/manifests/latest')).status).toBe(200);
  expect((await mirror.get(`/v2/acme/one/blobs/${digestOf(LAYER)}`)).status).toBe(200);
});

test('a name that does not come through at all refuses no cold pull of others', async () => {
  await using registry = await startFakeRegistry();
  registry.putImage('acme/one', 'latest', { layers: [LAYER] });
  registry.fault({ repository: 'broken/name' }, (reply) => ({ ...reply, delivery: { reset: true } }));
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  for (let i = 0; i < 20; i += 1) await mirror.get('/v2/broken/name/manifests/latest');
  expect(registry.count({ repository: 'broken/name' })).toBeLessThanOrEqual(10);
  expect((await mirror.get('/v2/acme/one/manifests/latest')).status).toBe(200);
});
