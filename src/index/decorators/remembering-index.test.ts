import { beforeEach, describe, expect, test } from 'vitest';
import { describeContentIndex } from '../content-index.contract.ts';
import type { ContentIndex } from '../content-index.ts';
import { ALPINE, DEBIAN, digest, edge, LATEST, manifest } from '../content.contract.ts';
import { openSqliteIndex } from '../sqlite/sqlite-index.ts';
import { rememberIndex, type RememberingIndex } from './remembering-index.ts';

describeContentIndex('a remembering index', async () => rememberIndex(await openSqliteIndex(':memory:')));

const OLD = { digest: digest('old'), checkedAt: 1 };
const NEW = { digest: digest('new'), checkedAt: 2 };

type Method = 'tag' | 'putTag' | 'deleteTag' | 'deleteTags' | 'belongs' | 'deleteBelonging' | 'putBelonging';

/** An index that counts its calls, and can hold them, as if it were slow. */
class World {
  readonly calls: string[] = [];
  readonly #held = new Map<string, { readonly when: 'before' | 'after'; readonly until: Promise<void> }>();
  readonly source: ContentIndex;
  readonly index: RememberingIndex;
  failure: Error | undefined;

  constructor(source: ContentIndex) {
    this.source = source;
    const watched = {
      tag: this.#watch('tag'),
      putTag: this.#watch('putTag'),
      deleteTag: this.#watch('deleteTag'),
      deleteTags: this.#watch('deleteTags'),
      belongs: this.#watch('belongs'),
      putBelonging: this.#watch('putBelonging'),
      deleteBelonging: this.#watch('deleteBelonging'),
    };
    this.index = rememberIndex({ ...source, ...watched } as ContentIndex);
  }

  /** Holds the next call of the method, before or after the source has done it. @returns a function that ends that */
  hold(method: Method, when: 'before' | 'after'): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(method, { when, until: promise });
    return resolve;
  }

  #watch(method: Method) {
    return async (...args: readonly never[]): Promise<unknown> => {
      this.calls.push(method);
      const held = this.#held.get(method);
      this.#held.delete(method);
      if (held?.when === 'before') await held.until;
      if (this.failure !== undefined) throw this.failure;
      const result = await (this.source[method] as (...args: readonly never[]) => Promise<unknown>)(...args);
      if (held?.when === 'after') await held.until;
      return result;
    };
  }
}

let world: World;
let index: RememberingIndex;

beforeEach(async () => {
  world = new World(await openSqliteIndex(':memory:'));
  ({ index } = world);
});

/** Walks twice: a tag is forgotten only if an earlier walk has already found it gone. */
async function forgetTags(now: number): Promise<void> {
  const walk = { of: 'tags', after: undefined, limit: 10, now, goneBefore: now } as const;
  for (const forgotten of [0, 1]) expect((await index.forgetGone(walk)).forgotten).toBe(forgotten);
}

describe('a tag', () => {
  test('is not remembered before it was looked up', async () => {
    await world.source.putTag(DEBIAN, LATEST, OLD);
    expect(index.rememberedTag(DEBIAN, LATEST)).toBeUndefined();
  });

  test('is looked up once', async () => {
    await world.source.putTag(DEBIAN, LATEST, OLD);
    expect([await index.tag(DEBIAN, LATEST), await index.tag(DEBIAN, LATEST)]).toEqual([OLD, OLD]);
    expect(index.rememberedTag(DEBIAN, LATEST)).toEqual(OLD);
    expect(index.rememberedTag(ALPINE, LATEST)).toBeUndefined();
    expect(world.calls).toEqual(['tag']);
  });

  test('that does not exist is looked up each time', async () => {
    expect(await index.tag(DEBIAN, LATEST)).toBeUndefined();
    await world.source.putTag(DEBIAN, LATEST, OLD);
    expect(await index.tag(DEBIAN, LATEST)).toEqual(OLD);
  });

  test('is what was last written, without a look-up', async () => {
    await index.putTag(DEBIAN, LATEST, OLD);
    await index.putTag(DEBIAN, LATEST, NEW);
    expect(index.rememberedTag(DEBIAN, LATEST)).toEqual(NEW);
    expect(await world.source.tag(DEBIAN, LATEST)).toEqual(NEW);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['deleted', () => index.deleteTag(DEBIAN, LATEST, 3)],
    ['deleted with its repository', () => index.deleteTags(DEBIAN)],
    ['found to stand for nothing', () => forgetTags(0)],
  ])('that was %s is forgotten', async (_, change) => {
    await index.putTag(DEBIAN, LATEST, OLD);
    await change();
    expect(index.rememberedTag(DEBIAN, LATEST)).toBeUndefined();
    expect(await index.tag(DEBIAN, LATEST)).toBeUndefined();
  });

  test('that could not be written is looked up anew', async () => {
    await index.putTag(DEBIAN, LATEST, OLD);
    world.failure = new Error('disk full');
    await expect(index.putTag(DEBIAN, LATEST, NEW)).rejects.toBe(world.failure);
    expect(index.rememberedTag(DEBIAN, LATEST)).toBeUndefined();
    world.failure = undefined;
    expect(await index.tag(DEBIAN, LATEST)).toEqual(OLD);
  });

  test('is forgotten with everything when another index replaces the source', async () => {
    await index.putTag(DEBIAN, LATEST, OLD);
    index.forgetAll();
    expect(index.rememberedTag(DEBIAN, LATEST)).toBeUndefined();
  });
});

describe('a look-up of a tag that overlaps a change', () => {
  beforeEach(async () => {
    await world.source.putTag(DEBIAN, LATEST, OLD);
  });

  test.each<[string, () => Promise<unknown>, typeof NEW | undefined]>([
    ['a new digest', () => index.putTag(DEBIAN, LATEST, NEW), NEW],
    ['a deletion', () => index.deleteTag(DEBIAN, LATEST, 3), undefined],
    ['the deletion of all', () => index.deleteTags(DEBIAN), undefined],
  ])('and ends after it does not bring back the old digest: %s', async (_, change, expected) => {
    const release = world.hold('tag', 'after');
    const looking = index.tag(DEBIAN, LATEST);
    await change();
    release();
    expect(await looking).toEqual(OLD);
    expect(index.rememberedTag(DEBIAN, LATEST)).toEqual(expected);
    expect(await index.tag(DEBIAN, LATEST)).toEqual(expected);
  });

  test('and ends during the change is not remembered', async () => {
    const releaseLook = world.hold('tag', 'after');
    const releaseChange = world.hold('deleteTag', 'after');
    const looking = index.tag(DEBIAN, LATEST);
    const changing = index.deleteTag(DEBIAN, LATEST, 3);
    releaseLook();
    await looking;
    releaseChange();
    await changing;
    expect(index.rememberedTag(DEBIAN, LATEST)).toBeUndefined();
  });

  test('and begins before the source has the change is not remembered', async () => {
    const release = world.hold('putTag', 'before');
    const changing = index.putTag(DEBIAN, LATEST, NEW);
    expect(await index.tag(DEBIAN, LATEST)).toEqual(OLD);
    release();
    await changing;
    expect(index.rememberedTag(DEBIAN, LATEST)).toEqual(NEW);
  });

  test('and ends after another index has replaced the source is not remembered', async () => {
    const release = world.hold('tag', 'after');
    const looking = index.tag(DEBIAN, LATEST);
    index.forgetAll();
    release();
    await looking;
    expect(index.rememberedTag(DEBIAN, LATEST)).toBeUndefined();
  });
});

describe('changes of a tag that overlap', () => {
  test.each<['before' | 'after', typeof OLD]>([
    ['before', OLD],
    ['after', NEW],
  ])('leave what the source has, with the first held %s the source makes it', async (when, expected) => {
    const release = world.hold('putTag', when);
    const first = index.putTag(DEBIAN, LATEST, OLD);
    await index.putTag(DEBIAN, LATEST, NEW);
    release();
    await first;
    expect(index.rememberedTag(DEBIAN, LATEST)).toBeUndefined();
    expect(await index.tag(DEBIAN, LATEST)).toEqual(expected);
  });

  test('do not bring a deleted tag back', async () => {
    const release = world.hold('putTag', 'after');
    const put = index.putTag(DEBIAN, LATEST, NEW);
    await index.deleteTag(DEBIAN, LATEST, 3);
    release();
    await put;
    expect(await index.tag(DEBIAN, LATEST)).toBeUndefined();
  });
});

describe('a belonging', () => {
  const LAYER = digest('layer');

  test('is looked up once, and does not count for another repository', async () => {
    await world.source.putBelonging(DEBIAN, LAYER, 'confirmed');
    expect(index.remembersBelonging(DEBIAN, LAYER)).toBe(false);
    expect([await index.belongs(DEBIAN, LAYER), await index.belongs(DEBIAN, LAYER)]).toEqual([true, true]);
    expect(index.remembersBelonging(DEBIAN, LAYER)).toBe(true);
    expect(index.remembersBelonging(ALPINE, LAYER)).toBe(false);
    expect(await index.belongs(ALPINE, LAYER)).toBe(false);
    expect(world.calls).toEqual(['belongs', 'belongs']);
  });

  test('that does not exist is looked up each time', async () => {
    expect(await index.belongs(DEBIAN, LAYER)).toBe(false);
    await world.source.putBelonging(DEBIAN, LAYER, 'confirmed');
    expect(await index.belongs(DEBIAN, LAYER)).toBe(true);
  });

  test('is written once', async () => {
    await index.putBelonging(DEBIAN, LAYER, 'confirmed');
    await index.putBelonging(DEBIAN, LAYER, 'confirmed');
    expect(world.calls).toEqual(['putBelonging']);
    expect(await world.source.belongs(DEBIAN, LAYER)).toBe(true);
  });

  test('of a manifest is remembered when the manifest is put', async () => {
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'layer')]);
    expect(index.remembersBelonging(DEBIAN, digest('m'))).toBe(true);
    expect(index.remembersBelonging(ALPINE, digest('m'))).toBe(false);
  });

  test('is forgotten when it ends, and can be written again', async () => {
    await index.putBelonging(DEBIAN, LAYER, 'confirmed');
    await index.deleteBelonging(DEBIAN, LAYER);
    expect(index.remembersBelonging(DEBIAN, LAYER)).toBe(false);
    expect(await index.belongs(DEBIAN, LAYER)).toBe(false);
    await index.putBelonging(DEBIAN, LAYER, 'confirmed');
    expect(await index.belongs(DEBIAN, LAYER)).toBe(true);
  });

  test('that ends while it is looked up is not remembered', async () => {
    await world.source.putBelonging(DEBIAN, LAYER, 'confirmed');
    const release = world.hold('belongs', 'after');
    const looking = index.belongs(DEBIAN, LAYER);
    await index.deleteBelonging(DEBIAN, LAYER);
    release();
    await looking;
    expect(index.remembersBelonging(DEBIAN, LAYER)).toBe(false);
  });

  test('that ends while it is confirmed is not remembered', async () => {
    const release = world.hold('putBelonging', 'after');
    const putting = index.putBelonging(DEBIAN, LAYER, 'confirmed');
    await index.deleteBelonging(DEBIAN, LAYER);
    release();
    await putting;
    expect(index.remembersBelonging(DEBIAN, LAYER)).toBe(false);
    expect(await index.belongs(DEBIAN, LAYER)).toBe(false);
  });
});
