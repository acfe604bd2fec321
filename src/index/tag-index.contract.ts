import { expect, it } from 'vitest';
import { parseTag, type Tag } from '../oci/tag.ts';
import type { Subject } from './content-index.contract.ts';
import type { TagSpell } from './tag-index.ts';
import { ALPINE, DEBIAN, digest, LATEST, manifest, OTHER_DEBIAN } from './content.contract.ts';

const STABLE = parseTag('stable');

/** Tests what every implementation does with tags. */
export function describeTagIndex(subject: Subject): void {
  describeOne(subject);
  describeHistory(subject);
  describeLists(subject);
}

function describeOne(subject: Subject): void {
  it('knows no tag at first', async () => {
    expect(await subject.index.tag(DEBIAN, LATEST)).toBeUndefined();
    expect(await subject.index.tagHistory(DEBIAN, LATEST)).toEqual([]);
    expect(await subject.index.tags(DEBIAN, { limit: 10 })).toEqual([]);
  });

  it.each(['a sha256 digest', 'c sha512 digest'])('remembers %s', async (name) => {
    const entry = { digest: digest(name), checkedAt: 1_800_000_000_000 };
    await subject.index.putTag(DEBIAN, LATEST, entry);
    expect(await subject.index.tag(DEBIAN, LATEST)).toEqual(entry);
  });

  it('keeps tags apart by upstream, repository and case', async () => {
    const { index } = subject;
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 1 });
    await index.putTag(OTHER_DEBIAN, LATEST, { digest: digest('b'), checkedAt: 2 });
    await index.putTag(DEBIAN, parseTag('LATEST'), { digest: digest('c'), checkedAt: 3 });
    expect(await index.tag(DEBIAN, LATEST)).toEqual({ digest: digest('a'), checkedAt: 1 });
    expect(await index.tag(OTHER_DEBIAN, LATEST)).toEqual({ digest: digest('b'), checkedAt: 2 });
    expect(await index.tag(ALPINE, LATEST)).toBeUndefined();
  });

  it('keeps the time of the last check, even if the clock was set back', async () => {
    const { index } = subject;
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 5 });
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 3 });
    expect(await index.tag(DEBIAN, LATEST)).toEqual({ digest: digest('a'), checkedAt: 3 });
    expect(await index.tagHistory(DEBIAN, LATEST)).toMatchObject([{ since: 5, checkedAt: 3 }]);
  });
}

function describeHistory(subject: Subject): void {
  async function putAll(tag: Tag, names: readonly string[]): Promise<void> {
    for (const [time, name] of names.entries()) {
      await subject.index.putTag(DEBIAN, tag, { digest: digest(name), checkedAt: time });
    }
  }

  const past = async (): Promise<readonly TagSpell[]> => {
    const spells = await subject.index.tagHistory(DEBIAN, LATEST);
    return spells.filter(({ until }) => until !== undefined);
  };

  it('lists the spells of a tag: each digest, since when, until when, and how it began and ended', async () => {
    await putAll(LATEST, ['a', 'b', 'b', 'a', 'c', 'c']);
    expect(await subject.index.tagHistory(DEBIAN, LATEST)).toEqual([
      { digest: digest('c'), since: 4, seen: 'moved', checkedAt: 5, until: undefined, ended: undefined },
      { digest: digest('a'), since: 3, seen: 'moved', checkedAt: 3, until: 4, ended: 'moved' },
      { digest: digest('b'), since: 1, seen: 'moved', checkedAt: 2, until: 3, ended: 'moved' },
      { digest: digest('a'), since: 0, seen: 'pulled', checkedAt: 0, until: 1, ended: 'moved' },
    ]);
    expect(await subject.index.tagHistory(ALPINE, LATEST)).toEqual([]);
  });

  it('remembers the order though the clock was set back', async () => {
    const { index } = subject;
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 9 });
    await index.putTag(DEBIAN, LATEST, { digest: digest('b'), checkedAt: 8 });
    await index.putTag(DEBIAN, LATEST, { digest: digest('c'), checkedAt: 7 });
    expect((await past()).map((spell) => spell.digest)).toEqual([digest('b'), digest('a')]);
  });

  it('remembers the last digest of a tag that is deleted', async () => {
    const { index } = subject;
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 1 });
    await index.deleteTag(DEBIAN, LATEST, 7);
    await index.deleteTag(DEBIAN, LATEST, 8);
    await index.deleteTag(ALPINE, LATEST, 9);
    expect(await index.tag(DEBIAN, LATEST)).toBeUndefined();
    expect(await index.tags(DEBIAN, { limit: 10 })).toEqual([]);
    expect(await index.tagHistory(DEBIAN, LATEST)).toEqual([
      { digest: digest('a'), since: 1, seen: 'pulled', checkedAt: 1, until: 7, ended: 'deleted' },
    ]);
  });

  it('distinguishes removal by an operator from deletion upstream, and begins anew afterwards', async () => {
    const { index } = subject;
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 1 });
    await index.deleteTag(DEBIAN, LATEST, 7, 'removed');
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 9 });
    expect(await index.tagHistory(DEBIAN, LATEST)).toEqual([
      { digest: digest('a'), since: 9, seen: 'pulled', checkedAt: 9, until: undefined, ended: undefined },
      { digest: digest('a'), since: 1, seen: 'pulled', checkedAt: 1, until: 7, ended: 'removed' },
    ]);
  });

  it('stays when the bytes and belongings go, and goes with the repository', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('a'), [], { stored: { usedAt: 1 } });
    await putAll(LATEST, ['a', 'b']);
    await index.deleteBlob(digest('a'));
    await index.deleteBelonging(DEBIAN, digest('a'));
    expect(await past()).toHaveLength(1);
    expect(await index.deleteTags(DEBIAN)).toBe(1);
    expect(await index.tagHistory(DEBIAN, LATEST)).toEqual([]);
  });

  it('does not remember for ever', async () => {
    const names = Array.from({ length: 1030 }, (_, number) => `digest ${number}`);
    await putAll(parseTag('quiet'), ['a', 'b']);
    await putAll(LATEST, names);
    const newest = names.slice(29, 1029).map(digest).reverse();
    expect((await past()).map((spell) => spell.digest)).toEqual(newest);
    expect(await subject.index.tagHistory(DEBIAN, parseTag('quiet'))).toHaveLength(2);
  });
}

function describeLists(subject: Subject): void {
  const names = ['10', '9', 'B', '_x', 'a', 'a-b', 'a.b', 'a_b', 'aa', 'b'];

  async function putAll(): Promise<void> {
    for (const name of names.toReversed()) {
      await subject.index.putTag(DEBIAN, parseTag(name), { digest: digest(name), checkedAt: 1 });
    }
    await subject.index.putTag(ALPINE, LATEST, { digest: digest('a'), checkedAt: 1 });
  }

  it('lists tags in ASCII order', async () => {
    await putAll();
    const listed = await subject.index.tags(DEBIAN, { limit: 100 });
    expect(listed).toEqual(['10', '9', 'B', '_x', 'a', 'a-b', 'a.b', 'a_b', 'aa', 'b']);
  });

  it.each([1, 3, 10])('lists tags in pages of %i', async (limit) => {
    await putAll();
    const listed: Tag[] = [];
    for (;;) {
      const page = await subject.index.tags(DEBIAN, { after: listed.at(-1), limit });
      if (page.length === 0) break;
      expect(page.length).toBeLessThanOrEqual(limit);
      listed.push(...page);
    }
    expect(listed).toEqual(names);
  });

  it('begins a page after a tag that does not exist', async () => {
    await putAll();
    expect(await subject.index.tags(DEBIAN, { after: 'a.', limit: 2 })).toEqual(['a.b', 'a_b']);
    expect(await subject.index.tags(DEBIAN, { after: 'zz', limit: 2 })).toEqual([]);
    expect(await subject.index.tags(DEBIAN, { limit: 0 })).toEqual([]);
  });

  it('knows the tags of a digest in a repository', async () => {
    const { index } = subject;
    const entry = { digest: digest('m'), checkedAt: 1 };
    await index.putTag(DEBIAN, STABLE, entry);
    await index.putTag(DEBIAN, LATEST, entry);
    await index.putTag(DEBIAN, parseTag('old'), { digest: digest('o'), checkedAt: 1 });
    await index.putTag(ALPINE, LATEST, entry);
    expect(await index.tagsOf(DEBIAN, digest('m'), 10)).toEqual([LATEST, STABLE]);
    expect(await index.tagsOf(DEBIAN, digest('m'), 1)).toEqual([LATEST]);
    expect(await index.tagsOf(OTHER_DEBIAN, digest('m'), 10)).toEqual([]);
  });

  it('forgets the tags of a repository, and what they stood for', async () => {
    const { index } = subject;
    for (const key of [DEBIAN, ALPINE]) {
      await index.putTag(key, LATEST, { digest: digest('a'), checkedAt: 1 });
      await index.putTag(key, LATEST, { digest: digest('b'), checkedAt: 2 });
      await index.putTag(key, STABLE, { digest: digest('b'), checkedAt: 2 });
    }
    expect(await index.deleteTags(DEBIAN)).toBe(2);
    expect(await index.deleteTags(DEBIAN)).toBe(0);
    expect(await index.tags(DEBIAN, { limit: 10 })).toEqual([]);
    expect(await index.tagHistory(DEBIAN, LATEST)).toEqual([]);
    expect(await index.tags(ALPINE, { limit: 10 })).toEqual([LATEST, STABLE]);
    expect(await index.tagHistory(ALPINE, LATEST)).toHaveLength(2);
  });
}
