import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  DigestAnswer,
  LayersAnswer,
  ManifestAnswer,
  ReferrersAnswer,
} from '../../../src/asking/manifests/manifest-answer.ts';
import { TreeAnswer } from '../../../src/asking/manifests/tree.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { larderCommand } from '../../support/e2e/larder.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { instead, status } from '../../support/scripted-reply.ts';

/** Runs a command that asks, without the accounts of whoever runs the test. */
async function ask(...args: readonly string[]) {
  return larderCommand(args, { DOCKER_CONFIG: '/nowhere' });
}

async function json(...args: readonly string[]): Promise<unknown> {
  return JSON.parse((await ask(...args, '--json')).stdout);
}

/** A registry with an index of two platforms with an attestation and a signature, and what is in it. */
async function start() {
  const registry = await startFakeRegistry();
  const [amd64, arm64] = ['amd64', 'arm64'].map((architecture) =>
    registry.putImage('acme/app', undefined, {
      config: { os: 'linux', architecture },
      layers: [Buffer.from(architecture)],
    }),
  );
  if (amd64 === undefined || arm64 === undefined) throw new Error('no images');
  const attestation = registry.putImage('acme/app', undefined, { layers: [Buffer.from('sbom')] });
  const index = registry.putIndex('acme/app', '1', [
    on(amd64.descriptor, 'amd64'),
    on(arm64.descriptor, 'arm64'),
    about(attestation.descriptor, amd64.digest),
  ]);
  const signature = registry.putImage('acme/app', undefined, {
    subject: index.descriptor,
    artifactType: 'application/signature',
  });
  const repository = `localhost:${registry.port}/acme/app`;
  return {
    registry,
    repository,
    image: `${repository}:1`,
    amd64,
    arm64,
    attestation,
    index,
    signature,
    [Symbol.asyncDispose]: async () => registry.close(),
  };
}

const on = (descriptor: Descriptor, architecture: string): Descriptor => ({
  ...descriptor,
  platform: { os: 'linux', architecture },
});

const about = (descriptor: Descriptor, subject: string): Descriptor => ({
  ...on(descriptor, 'unknown'),
  platform: { os: 'unknown', architecture: 'unknown' },
  annotations: { 'vnd.docker.reference.digest': subject },
});

describe('larder manifest', () => {
  test('shows an index with its platforms, and an image with its layers', async () => {
    await using world = await start();
    const { stdout } = await ask('manifest', world.image);
    expect(stdout).toContain(`digest      ${world.index.digest}`);
    expect(stdout).toMatch(new RegExp(`^linux/arm64 +${world.arm64.digest}`, 'm'));
    const image = await ask('manifest', world.image, '--platform', 'linux/arm64');
    expect(image.stdout).toMatch(new RegExp(`^layer +${digestOf('arm64')} +5 B`, 'm'));
  });

  test('prints the bytes as they are with --raw', async () => {
    await using registry = await startFakeRegistry();
    const bytes = Buffer.from(
      `{ "schemaVersion" : 2,\n\t"mediaType": "${MediaType.ociIndex}", "manifests": [] }\n\n`,
    );
    registry.putManifest('acme/app', 'odd', bytes, MediaType.ociIndex);
    const { code, stdout } = await ask('manifest', `localhost:${registry.port}/acme/app:odd`, '--raw');
    expect([code, stdout]).toEqual([0, bytes.toString()]);
  });

  test('prints the config as it is, and lists layers', async () => {
    await using world = await start();
    const config = await ask('manifest', world.image, '--platform', 'linux/amd64', '--config');
    expect(JSON.parse(config.stdout)).toEqual({ os: 'linux', architecture: 'amd64' });
    const layers = await ask('manifest', world.image, '--platform', 'linux/amd64', '--layers');
    expect(layers.stdout).toContain(digestOf('amd64'));
  });

  test('draws the tree of an index', async () => {
    await using world = await start();
    const { code, stdout } = await ask('manifest', world.image, '--tree');
    const drawn = stdout.split('\n').map((line) => line.replace(/(?<=sha256:[0-9a-f]{64}).*/, ''));
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${world.image}  ${world.index.digest}`)]);
    expect(drawn.filter((line) => /attestation|referrer|linux/.test(line))).toEqual([
      `├─ linux/amd64  ${world.amd64.digest}`,
      `│  └─ attestation  ${world.attestation.digest}`,
      `├─ linux/arm64  ${world.arm64.digest}`,
      `└─ referrer application/signature  ${world.signature.digest}`,
    ]);
    expect(world.registry.count({ kind: 'manifest', method: 'GET' })).toBe(4);
    expect(world.registry.count({ kind: 'referrers' })).toBe(3);
  });

  test('draws what it could get of a tree, and fails', async () => {
    await using world = await start();
    world.registry.deleteDigest('acme/app', world.arm64.digest);
    const { code, stdout } = await ask('manifest', world.image, '--tree');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/! .*404/)]);
    expect(stdout).toContain(world.amd64.digest);
  });

  test('prints with --json what the schemas say', async () => {
    await using world = await start();
    const { image, index, amd64, signature } = world;
    const manifest = ManifestAnswer.strict().parse(await json('manifest', image));
    expect(manifest).toMatchObject({
      image,
      digest: index.digest,
      manifests: [{ digest: amd64.digest, platform: 'linux/amd64' }, {}, {}],
    });
    const layers = await json('manifest', image, '--layers', '--platform', 'linux/amd64');
    expect(LayersAnswer.strict().parse(layers)).toMatchObject({
      digest: amd64.digest,
      layers: [{ size: 5 }],
    });
    const { tree } = TreeAnswer.strict().parse(await json('manifest', image, '--tree'));
    expect(tree.manifests[0]?.attestations).toHaveLength(1);
    expect(tree.referrers).toMatchObject([{ digest: signature.digest }]);
  });

  test.each([
    ['no such image', ['nothing:1'], 1, 'nothing'],
    [
      'a platform that the index lacks',
      ['1', '--platform', 'linux/s390x'],
      2,
      'has no image for linux/s390x: it has linux/amd64, linux/arm64',
    ],
    [
      'a choice that is left open',
      ['1', '--layers'],
      2,
      'is an index, choose by --platform: it has linux/amd64, linux/arm64',
    ],
    ['a platform that is none', ['1', '--platform', 'arm64'], 2, 'Expected one such as linux/arm64'],
    ['two views', ['1', '--raw', '--tree'], 2, 'cannot be used with'],
  ])('%s is an error that says so', async (_, [tag = '', ...args], code, message) => {
    await using world = await start();
    const exit = await ask(
      'manifest',
      `${world.repository}:${tag}`.replace('app:nothing', 'nothing'),
      ...args,
    );
    expect([exit.code, exit.stdout]).toEqual([code, '']);
    expect(exit.stderr).toContain(message);
  });

  test('an image of another platform is not shown as one of the wanted', async () => {
    await using world = await start();
    const amd64 = `${world.repository}@${world.amd64.digest}`;
    expect(await ask('manifest', amd64, '--platform', 'linux/amd64')).toMatchObject({ code: 0 });
    const { code, stderr } = await ask('manifest', amd64, '--platform', 'linux/arm64');
    expect([code, stderr]).toEqual([2, expect.stringContaining('is no index, and for linux/amd64')]);
  });
});

describe('larder digest', () => {
  test('tells the digest of a tag by HEAD, and that of an image in an index', async () => {
    await using world = await start();
    expect((await ask('digest', world.image)).stdout).toBe(`${world.index.digest}\n`);
    expect(world.registry.count({ method: 'GET', kind: 'manifest' })).toBe(0);
    const arm64 = await ask('digest', world.image, '--platform', 'linux/arm64');
    expect(arm64.stdout).toBe(`${world.arm64.digest}\n`);
  });

  test('computes one by another algorithm', async () => {
    await using world = await start();
    const { stdout } = await ask('digest', world.image, '--algorithm', 'sha512');
    expect(stdout).toBe(`${digestOf(world.index.bytes, 'sha512')}\n`);
  });

  test('compares', async () => {
    await using world = await start();
    expect(await ask('digest', world.image, '--check', world.index.digest)).toMatchObject({ code: 0 });
    const wrong = await ask('digest', world.image, '--check', digestOf('wrong'));
    expect(wrong).toMatchObject({
      code: 1,
      stdout: `${world.index.digest}\n`,
      stderr: `larder: expected ${digestOf('wrong')}, and it is ${world.index.digest}\n`,
    });
  });

  test('of a file and of standard input is computed, without a question', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'larder-digest-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'layer');
    const bytes = Buffer.alloc(1_000_000, 'x');
    await writeFile(file, bytes);
    expect((await ask('digest', file)).stdout).toBe(`${digestOf(bytes)}\n`);
    expect(await ask('digest', file, '--check', digestOf(bytes, 'sha512'))).toMatchObject({ code: 0 });
    const piped = await larderCommand(['digest', '-', '--json'], {}, bytes);
    expect(DigestAnswer.strict().parse(JSON.parse(piped.stdout))).toEqual({
      file: '-',
      digest: digestOf(bytes),
    });
  });

  test('prints with --json what the schema says', async () => {
    await using world = await start();
    const answer = DigestAnswer.strict().parse(await json('digest', world.image));
    expect(answer).toEqual({ image: world.image, digest: world.index.digest });
  });

  test.each([
    [['alpine', '--check', 'sha256:1'], 'Expected sha256: and 64'],
    [['alpine', '--check', digestOf(''), '--algorithm', 'sha512'], 'cannot be compared'],
    [['alpine', '--algorithm', 'md5'], 'sha256, sha512'],
    [['./nothing'], 'there is no file'],
  ])('%j is a mistake in the command line', async (args, message) => {
    const { code, stderr } = await ask('digest', ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('larder referrers', () => {
  test('lists what was attached, of one type too', async () => {
    await using world = await start();
    const all = await ask('referrers', world.image);
    expect(all.stdout.split('\n')[1]).toMatch(
      new RegExp(`^${world.signature.digest} .* application/signature$`),
    );
    const none = await ask('referrers', world.image, '--type', 'application/other');
    expect(none).toMatchObject({ code: 0, stdout: '' });
    const answer = ReferrersAnswer.strict().parse(await json('referrers', world.image));
    expect(answer).toMatchObject({
      digest: world.index.digest,
      referrers: [{ digest: world.signature.digest }],
    });
    const ofImage = await json('referrers', world.image, '--platform', 'linux/amd64');
    expect(ReferrersAnswer.parse(ofImage)).toMatchObject({ digest: world.amd64.digest, referrers: [] });
  });

  test('of a registry that fails is an error, and no empty list', async () => {
    await using world = await start();
    failing(world.registry);
    const { code, stdout, stderr } = await ask('referrers', world.image);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('500')]);
  });
});

function failing(registry: FakeRegistry): void {
  registry.fault({ kind: 'referrers' }, instead(status(500)));
}
