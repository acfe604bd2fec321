import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import type { MaintainedContent } from '../upkeep/maintained-content.ts';
import { findKnown, listPins } from './known.ts';
import { digestsLeaving, isNeeded } from './leaving.ts';
import { isOfRepository } from './pins.ts';
import type { Selector } from './selector.ts';

/** What a removal has taken away. */
export interface Removed {
  readonly tags: number;
  /** Blobs deleted from the disk. Those that other repositories have as well stay there. */
  readonly blobs: number;
  readonly bytes: number;
}

const PAGE = 200;
/** Repositories to take a digest from at a time; in the end it is taken from all of them. */
const MAX_REPOSITORIES = 100;

/**
 * Deletes what is cached under the name, with the pins of its tags:
 * - of a repository: all of it;
 * - of a tag: the tag, and that part of its image to which nothing else in the repository leads;
 * - of a digest in a repository: the digest, its tags, and what else only the digest leads to;
 * - of a digest alone: the same in every repository.
 * Bytes are deleted once no repository has them, no stored manifest refers to them and no pin names them. A reader that
 * has them open reads on.
 * @throws OperatorError `unknown`; StoreError, IndexError
 */
export async function removeContent(
  content: MaintainedContent,
  selectors: readonly Selector[],
): Promise<Removed> {
  const selector = await findKnown(content.index, selectors);
  const removal = new Removal(content);
  switch (selector.kind) {
    case 'repository':
      await removal.repository(selector.key);
      break;
    case 'tag':
      await removal.tag(selector);
      break;
    case 'content':
      await removal.content(selector.key, selector.digest);
      break;
    case 'digest':
      await removal.everywhere(selector.digest);
  }
  return removal.removed;
}

class Removal {
  readonly #content: MaintainedContent;
  #tags = 0;
  #blobs = 0;
  #bytes = 0;

  constructor(content: MaintainedContent) {
    this.#content = content;
  }

  get removed(): Removed {
    return { tags: this.#tags, blobs: this.#blobs, bytes: this.#bytes };
  }

  async repository(key: RepositoryKey): Promise<void> {
    const { index } = this.#content;
    for (const entry of await listPins(index)) {
      if (isOfRepository(entry, key)) await index.unpin(entry.pin);
    }
    this.#tags += await index.deleteTags(key);
    const left: Digest[] = [];
    for (;;) {
      const page = await index.belongings(key, { limit: PAGE });
      if (page.length === 0) break;
      left.push(...page);
      for (const digest of page) await index.deleteBelonging(key, digest);
      await nextTurn();
    }
    await this.#deleteUnused(left);
  }

  async tag({ key, tag }: Selector & { kind: 'tag' }): Promise<void> {
    const { index } = this.#content;
    const entry = await index.tag(key, tag);
    await this.#dropTag(key, tag);
    if (entry === undefined || (await isNeeded(index, key, entry.digest))) return;
    await this.#takeOut(key, entry.digest);
  }

  async content(key: RepositoryKey, digest: Digest): Promise<void> {
    for (;;) {
      const tags = await this.#content.index.tagsOf(key, digest, PAGE);
      if (tags.length === 0) break;
      for (const tag of tags) await this.#dropTag(key, tag);
    }
    await this.#takeOut(key, digest, digest);
  }

  async everywhere(digest: Digest): Promise<void> {
    const { index } = this.#content;
    await index.unpin({ kind: 'digest', digest });
    for (;;) {
      const keys = await index.repositoriesOf(digest, MAX_REPOSITORIES);
      if (keys.length === 0) break;
      for (const key of keys) await this.content(key, digest);
    }
    // Recovered bytes belong to no repository.
    await this.#deleteUnused([digest], digest);
  }

  async #dropTag(key: RepositoryKey, tag: (Selector & { kind: 'tag' })['tag']): Promise<void> {
    const { index, clock } = this.#content;
    await index.unpin({ kind: 'tag', key, tag });
    await index.deleteTag(key, tag, clock.now(), 'removed');
    this.#tags += 1;
  }

  /** @param named is deleted even if a manifest refers to it: the operator has named it */
  async #takeOut(key: RepositoryKey, root: Digest, named?: Digest): Promise<void> {
    const { index } = this.#content;
    const leaving = [...(await digestsLeaving(index, key, root))];
    for (const digest of leaving) await index.deleteBelonging(key, digest);
    await this.#deleteUnused(leaving, named);
  }

  async #deleteUnused(digests: readonly Digest[], named?: Digest): Promise<void> {
    const { index, mirror } = this.#content;
    const pins = await listPins(index);
    const pinned = new Set(pins.flatMap(({ digest }) => (digest === named ? [] : [digest])));
    let left = new Set(digests);
    let before: number;
    do {
      before = this.#blobs;
      left = await this.#deleteFreed(
        [...left].filter((digest) => !pinned.has(digest)),
        named,
      );
      // A digest becomes free when the last manifest that refers to it has gone.
    } while (left.size > 0 && this.#blobs > before);
    mirror.forget(await this.#withoutRepository(digests));
  }

  /**
   * Leaves out digests that another repository has: their content may be only in memory, and must not be forgotten
   * there.
   */
  async #withoutRepository(digests: readonly Digest[]): Promise<readonly Digest[]> {
    const without: Digest[] = [];
    for (const digest of digests) {
      const holders = await this.#content.index.repositoriesOf(digest, 1);
      if (holders.length === 0) without.push(digest);
    }
    return without;
  }

  /** @returns what a stored manifest still refers to, and what the deleted manifests referred to. */
  async #deleteFreed(digests: readonly Digest[], named: Digest | undefined): Promise<Set<Digest>> {
    const { index } = this.#content;
    const left = new Set<Digest>();
    for (const [position, digest] of digests.entries()) {
      if (position % PAGE === PAGE - 1) await nextTurn();
      const holders = await index.repositoriesOf(digest, 1);
      if (holders.length > 0) continue;
      const parents = digest === named ? [] : await index.parents(digest, 1);
      if (parents.length > 0) left.add(digest);
      else for (const child of await this.#delete(digest)) left.add(child);
    }
    return left;
  }

  /** @returns what the bytes referred to, if they were a manifest's. */
  async #delete(digest: Digest): Promise<readonly Digest[]> {
    const { store, index, clock } = this.#content;
    const size = (await index.blob(digest))?.size ?? 0;
    const edges = await index.edges(digest);
    if (await store.delete(digest)) {
      this.#blobs += 1;
      this.#bytes += size;
    }
    await index.deleteBlob(digest);
    // If a fill stored the bytes anew between the two deletions, the second one deleted their new row. Without a row
    // they would never be evicted.
    const again = await store.stat(digest);
    if (again !== undefined) await index.putBlob(again, clock.now());
    return edges.filter(({ role }) => role !== 'subject').map((edge) => edge.digest);
  }
}
