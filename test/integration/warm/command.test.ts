import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WarmResult } from '../../../src/api/contract/kinds/warm.ts';
import { larderWorld, REGISTRY, type LarderWorld } from '../../support/larder-world.ts';
import { instead, status } from '../../support/scripted-reply.ts';

function putImages(world: LarderWorld, ...names: readonly string[]): void {
  for (const name of names) {
    const [repository = '', tag = 'latest'] = name.split(':');
    world.registry.putImage(repository, tag, { layers: [randomBytes(50_000)] });
  }
}

async function write(world: LarderWorld, name: string, ...lines: readonly string[]): Promise<string> {
  const path = join(world.cacheDirectory, '..', name);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

/** What was asked for whole manifests, tags and blobs. */
const asked = ({ registry }: LarderWorld): number => registry.count({ method: 'GET' });

describe('larder warm', () => {
  it.each([['through the running server'], ['into the cache directory without one']])(
    'pulls %s',
    async (way) => {
      await using world = await larderWorld();
      putImages(world, 'acme/app:1');
      const server = await world.serve();
      if (way.includes('without')) await server.stop();
      expect(await world.run('warm', 'acme/app:1')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/warm {6}acme\/app:1 sha256:[0-9a-f]{64} \(3 parts, /) as string,
      });
      const before = asked(world);
      expect((await world.run('warm', 'acme/app:1')).code).toBe(0);
      expect(asked(world)).toBe(before);
      expect((await world.run('ls', 'acme/app')).stdout).toMatch(/ 3 {2}/);
      await server[Symbol.asyncDispose]();
    },
  );

  it('reads lists, locks, compose files, Dockerfiles and manifests', async () => {
    await using world = await larderWorld();
    putImages(world, 'acme/a', 'acme/b:1', 'acme/c:1', 'acme/d:1', 'acme/e:1');
    const files = await Promise.all([
      write(world, 'list.txt', '# all', 'acme/a', 'acme/a  # again'),
      write(world, 'images.lock', 'images:', `  - ref: ${REGISTRY}/acme/b:1`),
      write(world, 'compose.yaml', 'services:', '  web: { image: "acme/c:${VERSION:-1}" }'),
      write(world, 'Dockerfile', 'ARG V=1', 'FROM acme/d:$V AS build', 'FROM build'),
      write(
        world,
        'pod.yaml',
        'apiVersion: v1',
        'kind: Pod',
        'spec: { containers: [{ image: "acme/e:1" }] }',
      ),
    ]);
    const [list, lock, compose, dockerfile, pod] = files;
    await using server = await world.serve();
    const args = [
      'warm',
      '--json',
      '--file',
      list,
      '--file',
      lock,
      '--from-compose',
      compose,
      '--from-dockerfile',
      dockerfile,
      '--from-kubernetes',
      pod,
    ];
    const { code, stdout } = await world.run(...args);
    const { images } = WarmResult.parse(JSON.parse(stdout));
    const named = images.map(({ reference }) => reference);
    expect({ code, named }).toEqual({
      code: 0,
      named: ['acme/a', `${REGISTRY}/acme/b:1`, 'acme/e:1', 'acme/c:1', 'acme/d:1'],
    });
    expect((await fetch(`${server.url}/v2/acme/e/manifests/1`)).headers.get('cache-status')).toContain('hit');
  });

  it('says which image is not whole, and exits with 1; the same command then pulls the rest', async () => {
    await using world = await larderWorld();
    putImages(world, 'acme/app:1');
    const { digest, layers } = world.registry.putImage('acme/broken', '1', { layers: [randomBytes(50_000)] });
    const mended = world.registry.fault({ digest: layers[0]?.digest ?? digest }, instead(status(500)));
    await using server = await world.serve();
    const broken = await world.run('warm', 'acme/broken:1', 'acme/app:1');
    expect(broken).toMatchObject({ code: 1 });
    expect(broken.stdout).toMatch(/not whole acme\/broken:1\n {2}sha256:[0-9a-f]{64}: .*500/);
    expect(broken.stdout).toMatch(/warm {6}acme\/app:1/);
    expect(broken.stderr).toContain('1 of 2 images are not whole');
    mended();
    expect((await world.run('warm', 'acme/broken:1')).code).toBe(0);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });

  it('refuses what cannot be meant before it pulls anything', async () => {
    await using world = await larderWorld();
    putImages(world, 'acme/app');
    const dockerfile = await write(world, 'Dockerfile', 'ARG VERSION', 'FROM acme/app:${VERSION}');
    await using server = await world.serve();
    for (const [args, message] of [
      [[], 'no image is named: name an image, or a file with images'],
      [['--file', '/nowhere/list.txt'], '/nowhere/list.txt cannot be read: ENOENT'],
      [['acme/app', 'No image'], '"No image" is no reference'],
      [['acme/app', '--platform', 'amd64'], '"amd64" is no platform'],
      [['acme/app', '--from-dockerfile', dockerfile], 'Dockerfile:2: '],
    ] as const) {
      expect(await world.run('warm', ...args)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(message) as string,
      });
    }
    expect(world.registry.requests).toEqual([]);
    expect(server.url).toContain('127.0.0.1');
  });
});
