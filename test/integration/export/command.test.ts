import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { parseInventory } from '../../../src/archive/layout/inventory.ts';
import { blobPath } from '../../../src/archive/layout/paths.ts';
import { larderWorld, REGISTRY, type LarderWorld } from '../../support/larder-world.ts';
import { instead, status } from '../../support/scripted-reply.ts';

const SHARED = randomBytes(50_000);

const putImage = ({ registry }: LarderWorld, tag: string): ReturnType<typeof registry.putImage> =>
  registry.putImage('acme/app', tag, { layers: [SHARED, randomBytes(20_000)] });

/** Makes a folder for bundles. @returns gives paths in it */
async function folder({ cacheDirectory }: LarderWorld): Promise<(name?: string) => string> {
  const path = join(cacheDirectory, '../bundles');
  await mkdir(path);
  return (name = '') => join(path, name);
}

async function pathsIn(bundle: string): Promise<readonly string[]> {
  const entries = await unpackTar(new Uint8Array(await readFile(bundle)), { strict: true });
  return entries.map(({ header }) => header.name);
}

describe('larder export', () => {
  it.each([['through the running server'], ['from the cache directory without one']])(
    'writes a bundle %s',
    async (way) => {
      await using world = await larderWorld();
      const at = await folder(world);
      const image = putImage(world, '1');
      const server = await world.serve();
      if (way.includes('without')) await server.stop();
      const { code, stdout } = await world.run('export', 'acme/app:1', '-o', at('b.tar'));
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining(`exported acme/app:1 ${image.digest} (4 parts, `) as string,
      });
      expect(await pathsIn(at('b.tar'))).toEqual(expect.arrayContaining([blobPath(image.digest)]));
      expect((await readdir(at())).toSorted()).toEqual(['SHA256SUMS', 'b.tar']);
      await server[Symbol.asyncDispose]();
    },
  );

  it('leaves out what an inventory or a bundle has, and writes down what the other side has then', async () => {
    await using world = await larderWorld();
    const at = await folder(world);
    const [one, two] = [putImage(world, '1'), putImage(world, '2')];
    await using server = await world.serve();
    await world.run('export', 'acme/app:1', '-o', at('first.tar'), '--inventory', at('there.json'));
    const [shared = ''] = one.layers.map(({ digest }) => blobPath(digest));
    for (const since of ['there.json', 'first.tar']) {
      const args = ['--since', at(since), '--inventory', at('then.json'), '-o', at('second.tar')];
      expect((await world.run('export', 'acme/app:2', ...args)).code).toBe(0);
      const paths = await pathsIn(at('second.tar'));
      expect([paths.includes(blobPath(two.digest)), paths.includes(shared)]).toEqual([true, false]);
      const inventory = parseInventory(await readFile(at('then.json')));
      expect([...inventory.keys()]).toEqual([`${REGISTRY}/acme/app`]);
      expect([...(inventory.get(`${REGISTRY}/acme/app`) ?? [])]).toEqual(
        expect.arrayContaining([one.digest, two.digest]),
      );
    }
    expect(server.process.hasExited()).toBe(false);
  });

  it('exports what a list names', async () => {
    await using world = await larderWorld();
    const at = await folder(world);
    const image = putImage(world, '1');
    const ref = `${REGISTRY}/acme/app:1@${image.digest}`;
    await writeFile(at('images.lock'), `images:\n  - ref: ${ref}\n`);
    await using server = await world.serve();
    const { stdout } = await world.run('export', '--file', at('images.lock'), '-o', at('b.tar'), '--json');
    expect(JSON.parse(stdout)).toMatchObject({ images: [{ reference: ref, digest: image.digest }] });
    expect(server.process.hasExited()).toBe(false);
  });

  it('writes nothing if an image is not whole, and says why', async () => {
    await using world = await larderWorld();
    const at = await folder(world);
    const [layer] = putImage(world, '1').layers;
    if (layer !== undefined) world.registry.fault({ digest: layer.digest }, instead(status(404)));
    await using server = await world.serve();
    const { code, stderr } = await world.run('export', 'acme/app:1', '-o', at('b.tar'));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is not whole') as string });
    expect(await readdir(at())).toEqual([]);
    expect(server.process.hasExited()).toBe(false);
  });

  it.each([
    ['no image', ['-o', 'b.tar'], 2, 'name an image'],
    ['a name that does not tell a form', ['acme/app:1', '-o', 'b.tgz'], 2, 'must end in .tar'],
    ['an unknown platform', ['acme/app:1', '-o', 'b.tar', '--platform', 'amd64'], 2, 'is no platform'],
    ['a missing bundle', ['acme/app:1', '-o', 'b.tar', '--since', '/nowhere.tar'], 1, '/nowhere.tar'],
    ['no output', ['acme/app:1'], 2, '--output'],
    [
      'a folder that is not there',
      ['acme/app:1', '-o', '/nowhere/b.tar'],
      1,
      'there is no folder "/nowhere"',
    ],
    [
      'an inventory in place of the bundle',
      ['acme/app:1', '-o', '/tmp/b.tar', '--inventory', '/tmp/b.tar'],
      1,
      'would overwrite the bundle',
    ],
  ])('refuses %s', async (_, args, code, message) => {
    await using world = await larderWorld();
    await using server = await world.serve();
    const exit = await world.run('export', ...args);
    expect({ code: exit.code, stderr: exit.stderr }).toEqual({
      code,
      stderr: expect.stringContaining(message) as string,
    });
    expect(server.process.hasExited()).toBe(false);
  });
});
