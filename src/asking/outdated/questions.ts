import type { Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import type { Tag } from '../../oci/tag.ts';
import type { Asked, AskedRegistry } from '../asked.ts';
import type { Asker } from '../asker.ts';

export type OutdatedAsker = Pick<Asker, 'resolve' | 'manifest' | 'tags'>;

/** Returns the asker of a registry. @throws AskError */
export type AskerOf = (registry: AskedRegistry) => OutdatedAsker;

/** The questions about a number of images: each is asked once, however many images it is about. */
export class OutdatedQuestions {
  readonly #askerOf: AskerOf;
  readonly #asked = new Map<string, Promise<unknown>>();

  constructor(askerOf: AskerOf) {
    this.#askerOf = askerOf;
  }

  async digest({ registry, repository }: Asked, tag: Tag): Promise<Digest> {
    return this.#once(registry, `digest ${repository}:${tag}`, async (asker) => {
      const { digest } = await asker.resolve(repository, { kind: 'tag', tag });
      return digest;
    });
  }

  /** Returns the digests of the images in an index; none of any other manifest. */
  async children({ registry, repository }: Asked, digest: Digest): Promise<readonly Digest[]> {
    return this.#once(registry, `children ${repository}@${digest}`, async (asker) => {
      const { content } = await asker.manifest(repository, { kind: 'digest', digest });
      return content.manifests.map((child) => child.digest);
    });
  }

  async tags({ registry, repository }: Asked): Promise<readonly Tag[]> {
    return this.#once(registry, `tags ${repository}`, async (asker) => allTags(asker, repository));
  }

  async #once<T>(
    registry: AskedRegistry,
    question: string,
    ask: (asker: OutdatedAsker) => Promise<T>,
  ): Promise<T> {
    const key = `${registry.scheme ?? ''}//${registry.name} ${question}`;
    const asked = this.#asked.get(key) ?? ask(this.#askerOf(registry));
    this.#asked.set(key, asked);
    return asked as Promise<T>;
  }
}

async function allTags(asker: OutdatedAsker, repository: RepositoryName): Promise<readonly Tag[]> {
  const tags: Tag[] = [];
  for await (const page of asker.tags(repository)) for (const tag of page) tags.push(tag);
  return tags;
}
