import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { FullestTurn } from '../../test/support/fullest-turn.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { ContentIndex } from '../index/content-index.ts';
import type { Edge } from '../oci/manifest.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { parseTag } from '../oci/tag.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { MaintainedContent } from '../upkeep/maintained-content.ts';
import { removeContent } from './remove.ts';
import type { Selector } from './selector.ts';

const KEYS: readonly RepositoryKey[] = ['a', 'b'].map((name) => ({
  registry: 'registry.test',
  repository: parseRepositoryName(name),
}));
const TAGS = ['1', '2', '3'].map(parseTag);
const LAYERS = ['l0', 'l1', 'l2', 'l3'];
const IMAGES = ['m0', 'm1', 'm2'];
const INDEXES = ['i0', 'i1'];

/** What each manifest refers to, which manifests each repository has, and its tags. */
interface Model {
  readonly children: Readonly<Record<string, readonly string[]>>;
  readonly repositories: readonly {
    readonly manifests: readonly string[];
    readonly tags: readonly string[];
  }[];
}

const subset = (names: readonly string[]): fc.Arbitrary<string[]> =>
  fc.subarray([...names], { minLength: 1 });

const model: fc.Arbitrary<Model> = fc.record({
  children: fc.record({
    ...Object.fromEntries(IMAGES.map((name) => [name, subset(LAYERS)])),
    ...Object.fromEntries(INDEXES.map((name) => [name, subset(IMAGES)])),
  }),
  repositories: fc.array(
    fc.record({
      manifests: fc.subarray([...IMAGES, ...INDEXES]),
      tags: fc.array(fc.constantFrom(...IMAGES, ...INDEXES), { maxLength: 3 }),
    }),
    { minLength: 2, maxLength: 2 },
  ),
});

const removal: fc.Arbitrary<Selector> = fc
  .tuple(
    fc.constantFrom('repository', 'tag', 'content'),
    fc.constantFrom(...KEYS),
    fc.constantFrom(...TAGS),
    fc.constantFrom(...LAYERS, ...IMAGES, ...INDEXES),
  )
  .map(([kind, key, tag, name]): Selector => {
    if (kind === 'repository') return { kind, key };
    return kind === 'tag' ? { kind, key, tag } : { kind: 'content', key, digest: digestOf(name) };
  });

async function build(content: MaintainedContent, { children, repositories }: Model): Promise<void> {
  for (const name of [...LAYERS, ...IMAGES, ...INDEXES]) {
    const bytes = Buffer.from(name);
    await using ingest = await content.store.ingest({ digest: digestOf(name), size: bytes.length });
    await ingest.write([bytes]);
    await content.index.putBlob(await ingest.commit(), 1);
  }
  for (const [number, { manifests, tags }] of repositories.entries()) {
    const key = KEYS[number] as RepositoryKey;
    const pulled = new Set([...manifests, ...tags]);
    for (const name of pulled)
      if (INDEXES.includes(name)) children[name]?.forEach((image) => pulled.add(image));
    for (const name of pulled) await putManifest(content.index, key, name, children[name] ?? []);
    for (const [position, name] of tags.entries()) {
      const tag = parseTag(`${position + 1}`);
      await content.index.putTag(key, tag, { digest: digestOf(name), checkedAt: 1 });
    }
  }
}

function putManifest(
  index: ContentIndex,
  key: RepositoryKey,
  name: string,
  children: readonly string[],
): Promise<void> {
  const role: Edge['role'] = INDEXES.includes(name) ? 'manifest' : 'layer';
  const edges = children.map((child) => ({ role, digest: digestOf(child), size: 2, mediaType: 'x' }));
  const descriptor = { mediaType: 'x', digest: digestOf(name), size: 2 };
  return index.putManifest(key, { descriptor, subject: undefined }, edges);
}

/**
 * Returns the digests to which a tag leads, although they are not stored or not the repository's; leaves out `named`.
 */
async function missing(index: ContentIndex, named: ReadonlySet<Digest>): Promise<Digest[]> {
  const found: Digest[] = [];
  for (const [key, digest] of await reachable(index)) {
    const { source } = await index.standing(key, digest);
    const isThere = (await index.blob(digest)) !== undefined && source !== undefined;
    if (!isThere && !named.has(digest)) found.push(digest);
  }
  return found;
}

async function reachable(index: ContentIndex): Promise<readonly (readonly [RepositoryKey, Digest])[]> {
  const found: [RepositoryKey, Digest][] = [];
  for (const key of KEYS) {
    for (const tag of await index.tags(key, { limit: 10 })) {
      const entry = await index.tag(key, tag);
      const closure = entry === undefined ? [] : await index.closure(entry.digest);
      found.push(...closure.map((digest): [RepositoryKey, Digest] => [key, digest]));
    }
  }
  return found;
}

async function orphans(index: ContentIndex, store: BlobStore): Promise<Digest[]> {
  const found: Digest[] = [];
  for await (const { digest } of store.list()) {
    const holders = await index.repositoriesOf(digest, 1);
    const parents = await index.parents(digest, 1);
    if (holders.length === 0 && parents.length === 0) found.push(digest);
  }
  return found;
}

function contentOf(store: BlobStore, index: ContentIndex): MaintainedContent {
  return {
    store,
    index,
    mirror: {
      forget: () => {},
      setAside: () => Promise.reject(new Error('nothing is wrong')),
      lost: () => Promise.reject(new Error('nothing is lost')),
      storeMissing: () => Promise.reject(new Error('nothing is missing')),
    },
    clock: new ManualClock(),
  };
}

it('keeps a row for bytes that are stored anew while they are removed', async () => {
  const bytes = Buffer.from('l0');
  const digest = digestOf(bytes);
  const index = await openSqliteIndex(':memory:');
  const store = createMemoryStore();
  const storeAnew = async (): Promise<void> => {
    await using ingest = await store.ingest({ digest });
    await ingest.write([bytes]);
    await index.putBlob(await ingest.commit(), 1);
  };
  await storeAnew();
  const [key] = KEYS as [RepositoryKey];
  await index.putBelonging(key, digest, 'confirmed');
  const racing: BlobStore = {
    ...store,
    async delete(gone) {
      const wasThere = await store.delete(gone);
      await storeAnew();
      return wasThere;
    },
  };
  await removeContent(contentOf(racing, index), [{ kind: 'content', key, digest }]);
  expect(await store.stat(digest)).toBeDefined();
  expect(await index.blob(digest)).toMatchObject({ size: bytes.length });
  await index.close();
});

it('removes nothing that a tag still leads to, and leaves no bytes without a repository', async () => {
  const property = fc.asyncProperty(model, fc.array(removal, { maxLength: 4 }), async (model, removals) => {
    const content = contentOf(createMemoryStore(), await openSqliteIndex(':memory:'));
    const { index, store } = content;
    await build(content, model);
    const before = new Set(await orphans(index, store));
    const named = new Set(removals.flatMap((each) => (each.kind === 'content' ? [each.digest] : [])));
    for (const selector of removals) {
      const stored = (await index.stats()).blobs;
      const removed = await removeContent(content, [selector]).catch(() => ({ blobs: 0 }));
      expect((await index.stats()).blobs).toBe(stored - removed.blobs);
      expect(await missing(index, named)).toEqual([]);
      expect((await orphans(index, store)).filter((digest) => !before.has(digest))).toEqual([]);
    }
    await index.close();
  });
  await fc.assert(property, { numRuns: 60 });
});

it('remembers what a removed tag stood for, and that it was removed', async () => {
  const content = contentOf(createMemoryStore(), await openSqliteIndex(':memory:'));
  const [key] = KEYS as [RepositoryKey];
  const tag = parseTag('1');
  await content.index.putTag(key, tag, { digest: digestOf('m0'), checkedAt: 1 });
  await removeContent(content, [{ kind: 'tag', key, tag }]);
  expect(await content.index.tagHistory(key, tag)).toMatchObject([
    { digest: digestOf('m0'), since: 1, until: content.clock.now(), ended: 'removed' },
  ]);
  await content.index.close();
});

it.each<[string, (key: RepositoryKey) => Selector]>([
  ['a repository', (key) => ({ kind: 'repository', key })],
  ['a tag', (key) => ({ kind: 'tag', key, tag: parseTag('1') })],
  ['a digest', (key) => ({ kind: 'content', key, digest: digestOf('m0') })],
])('lets other work in while it removes %s with much content', async (_, selectorOf) => {
  const turn = new FullestTurn();
  const content = contentOf(
    createMemoryStore(),
    await openSqliteIndex(':memory:', { onRows: (rows) => turn.count(rows) }),
  );
  const { index } = content;
  const [key] = KEYS as [RepositoryKey];
  const layers = Array.from({ length: 1000 }, (_, number) => `layer ${number}`);
  for (const name of layers) await index.putBlob({ digest: digestOf(name), size: 1 }, 1);
  await putManifest(index, key, 'm0', layers);
  await index.putTag(key, parseTag('1'), { digest: digestOf('m0'), checkedAt: 1 });
  turn.most = 0;
  await removeContent(content, [selectorOf(key)]);
  expect(await index.belongings(key, { limit: 10 })).toEqual([]);
  expect(turn.most).toBeLessThan(500);
  await index.close();
});
