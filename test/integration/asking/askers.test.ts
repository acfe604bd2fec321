import { expect, test } from 'vitest';
import { parseAsked, type Asked } from '../../../src/asking/asked.ts';
import type { Asker } from '../../../src/asking/asker.ts';
import { Askers, type AskersOptions } from '../../../src/asking/askers.ts';
import { createEvents } from '../../../src/events.ts';
import { referenceOf } from '../../../src/oci/image-reference.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import type { Credentials } from '../../../src/upstream/credentials/credentials.ts';
import {
  startFakeRegistry,
  type FakeRegistry,
  type FakeRegistryOptions,
} from '../../support/fake-registry.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { flip } from '../../support/scripted-reply.ts';

const ACCOUNT = { username: 'jane', password: 'secret' };

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  /** Asks about what is typed behind the registry: `acme/app:1`. */
  about(text: string): { readonly asker: Asker; readonly asked: Asked };
}

async function start(
  registryOptions: FakeRegistryOptions = {},
  options: Partial<AskersOptions> = {},
): Promise<World> {
  const registry = await startFakeRegistry(registryOptions);
  const clock = new ManualClock();
  const askers = new Askers({
    isInsecure: false,
    accountOf: () => undefined,
    userAgent: 'larder/test',
    clock,
    events: createEvents(),
    ...options,
  });
  return {
    registry,
    about(text) {
      const asked = parseAsked(`127.0.0.1:${registry.port}/${text}`);
      return { asker: askers.of(asked.registry), asked };
    },
    async [Symbol.asyncDispose]() {
      await askers.close();
      await registry.close();
      expect(clock.left).toEqual([]);
    },
  };
}

async function all(pages: AsyncIterable<readonly string[]>): Promise<readonly string[]> {
  const entries: string[] = [];
  for await (const page of pages) entries.push(...page);
  return entries;
}

test('tags come page by page, and no page is asked for before it is used', async () => {
  await using world = await start({ pageSize: 2 });
  const { digest } = world.registry.putImage('acme/app', '1');
  for (const tag of ['2', '3', '4', '5']) world.registry.tag('acme/app', tag, digest);
  const { asker, asked } = world.about('acme/app');
  const pages = asker.tags(asked.repository);
  expect((await pages.next()).value).toEqual(['1', '2']);
  expect(world.registry.count({ kind: 'tags' })).toBe(1);
  expect(await all(pages)).toEqual(['3', '4', '5']);
  expect(world.registry.count({ kind: 'tags' })).toBe(3);
});

test('a manifest comes with its type and digest; a tag is resolved by HEAD alone', async () => {
  await using world = await start();
  const image = world.registry.putImage('acme/app', '1');
  const { asker, asked } = world.about('acme/app:1');
  const { repository } = asked;
  const { mediaType, digest } = await asker.manifest(repository, referenceOf(asked));
  expect({ mediaType, digest }).toEqual({ mediaType: MediaType.ociManifest, digest: image.digest });
  const resolved = await asker.resolve(repository, referenceOf(asked));
  expect(resolved).toEqual({ digest, mediaType, size: image.bytes.length });
  expect(world.registry.count({ kind: 'manifest', method: 'GET' })).toBe(1);
});

test('a registry whose HEAD tells no digest is asked by GET', async () => {
  await using world = await start({ digestHeader: false });
  const image = world.registry.putImage('acme/app', '1');
  const { asker, asked } = world.about('acme/app:1');
  expect((await asker.resolve(asked.repository, referenceOf(asked))).digest).toBe(image.digest);
});

test('a config is read whole, bounded and verified', async () => {
  await using world = await start();
  const { config } = world.registry.putImage('acme/app', '1', { config: { created: 'today' } });
  const { asker, asked } = world.about('acme/app:1');
  const bytes = await asker.blob(asked.repository, config.digest, 1000);
  expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({ created: 'today' });
  await expect(asker.blob(asked.repository, config.digest, 5)).rejects.toThrow('more than 5 bytes');
  world.registry.fault({ digest: config.digest }, flip(3));
  await expect(asker.blob(asked.repository, config.digest, 1000)).rejects.toThrow('sent other bytes');
});

test.each([[true], [false]])('referrers are listed and filtered (by API: %s)', async (referrers) => {
  await using world = await start({ referrers });
  const { registry } = world;
  const { descriptor: subject } = registry.putImage('acme/app', '1');
  const parts = { subject, artifactType: 'application/sbom' };
  const sbom = registry.putImage('acme/app', undefined, parts);
  const listed = [{ ...sbom.descriptor, artifactType: 'application/sbom' }];
  if (!referrers) registry.putIndex('acme/app', subject.digest.replace(':', '-'), listed);
  const { asker, asked } = world.about('acme/app');
  expect(await asker.referrers(asked.repository, subject.digest)).toMatchObject([{ digest: sbom.digest }]);
  const none = asker.referrers(asked.repository, subject.digest, { artifactType: 'application/other' });
  expect(await none).toEqual([]);
});

test('an account is used as the registry demands it, and sent to no other', async () => {
  const asked: string[] = [];
  const accountOf: AskersOptions['accountOf'] = ({ name }) => {
    asked.push(name);
    const credentials: Credentials = { kind: 'password', ...ACCOUNT };
    return { get: () => Promise.resolve(credentials), invalidate: () => undefined };
  };
  await using world = await start({ auth: { kind: 'bearer', account: ACCOUNT } }, { accountOf });
  world.registry.putImage('acme/app', '1');
  const about = world.about('acme/app');
  expect(await all(about.asker.tags(about.asked.repository))).toEqual(['1']);
  expect(await all(about.asker.tags(about.asked.repository))).toEqual(['1']);
  expect(world.registry.count({ kind: 'token' })).toBe(1);
  expect(asked).toEqual([`127.0.0.1:${world.registry.port}`]);
});

test('without an account, a refusal says what was refused', async () => {
  await using world = await start({ auth: { kind: 'basic', ...ACCOUNT } });
  const { asker, asked } = world.about('acme/app');
  await expect(all(asker.tags(asked.repository))).rejects.toThrow(/GET acme\/app\/tags\/list: answered 401/);
});

test('a repository that is not there is an error, and not an empty list', async () => {
  await using world = await start();
  const { asker, asked } = world.about('acme/app');
  await expect(all(asker.tags(asked.repository))).rejects.toThrow('NAME_UNKNOWN');
  const resolved = asker.resolve(asked.repository, { kind: 'digest', digest: digestOf('x') });
  await expect(resolved).rejects.toMatchObject({ failure: 'absent' });
});

test('one asker serves all questions to a registry', async () => {
  await using world = await start();
  expect(world.about('a').asker).toBe(world.about('b/c:1').asker);
});
