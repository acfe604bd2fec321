import { describe, expect, test } from 'vitest';
import { createEvents, type LarderEvent } from '../../events.ts';
import type { BelongingSource } from '../../index/belonging-source.ts';
import type { ContentIndex } from '../../index/content-index.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import { Belonging } from './belonging.ts';
import { rememberIndex } from '../../index/decorators/remembering-index.ts';

const DIGEST = digestOf('x');
const HERE = key('registry.test', 'acme/app');

function key(upstream: string, repository: string): RepositoryKey {
  return { registry: upstream, repository: repository as RepositoryName };
}

class World {
  readonly told: LarderEvent[] = [];
  lookUps = 0;
  writes = 0;
  readonly sources: BelongingSource[] = [];
  /** The promise that a write waits for before it fails or succeeds. */
  gate: Promise<void> = Promise.resolve();
  /** The belongings whose refusals were disproved. */
  readonly disproved: string[] = [];
  readonly #facts = new Set<string>();
  readonly origins: string[] = [];
  /** The upstreams whose claims may wait. */
  readonly woken: string[] = [];
  failure: Error | undefined;
  readonly belonging: Belonging;

  constructor() {
    const events = createEvents();
    events.subscribe((event) => this.told.push(event));
    const index: Pick<ContentIndex, 'belongs' | 'putBelonging' | 'putOrigin'> = {
      belongs: async (repository, digest) => {
        this.lookUps += 1;
        if (this.failure !== undefined) throw this.failure;
        return this.#facts.has(fact(repository, digest));
      },
      putBelonging: async (repository, digest, source) => {
        this.writes += 1;
        this.sources.push(source);
        await this.gate;
        if (this.failure !== undefined) throw this.failure;
        this.#facts.add(fact(repository, digest));
      },
      putOrigin: async (upstream) => {
        if (this.failure !== undefined) throw this.failure;
        this.origins.push(upstream);
      },
    };
    const negative = {
      disprove: (repository: RepositoryKey, digest: Digest) => this.disproved.push(fact(repository, digest)),
    };
    this.belonging = new Belonging(rememberIndex(index as ContentIndex), events, negative, (upstream) =>
      this.woken.push(upstream),
    );
  }

  /** Adds a belonging that the index knows from an earlier run. */
  know(repository: RepositoryKey, digest: Digest): void {
    this.#facts.add(fact(repository, digest));
  }
}

function fact({ registry: upstream, repository }: RepositoryKey, digest: Digest): string {
  return JSON.stringify([upstream, repository, digest]);
}

describe('a digest belongs', () => {
  test('to no repository at first', async () => {
    expect(await new World().belonging.has(HERE, DIGEST)).toBe(false);
  });

  test('to the repository that upstream has confirmed it for, which is written once and looked up in memory', async () => {
    const world = new World();
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    expect(await world.belonging.has(HERE, DIGEST)).toBe(true);
    expect([world.writes, world.lookUps]).toEqual([1, 0]);
    expect(world.disproved).toEqual([fact(HERE, DIGEST), fact(HERE, DIGEST)]);
    expect(world.woken).toEqual(['registry.test']);
  });

  test('and is written once more if its bytes were given: that says more', async () => {
    const world = new World();
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    await world.belonging.add(HERE, DIGEST, 'given');
    expect(world.writes).toBe(2);
  });

  test('to no repository if its upstream has given it through several: claims may wait for its word', async () => {
    const world = new World();
    await world.belonging.addOrigin(HERE.registry, DIGEST);
    expect([world.origins, world.woken]).toEqual([[HERE.registry], [HERE.registry]]);
    expect(await world.belonging.has(HERE, DIGEST)).toBe(false);
  });

  test('to the repository that the index knows, which is looked up once', async () => {
    const world = new World();
    world.know(HERE, DIGEST);
    expect(world.belonging.isRemembered(HERE, DIGEST)).toBe(false);
    expect([await world.belonging.has(HERE, DIGEST), await world.belonging.has(HERE, DIGEST)]).toEqual([
      true,
      true,
    ]);
    expect(world.lookUps).toBe(1);
  });

  test('to no repository yet, which is looked up each time, since it may change', async () => {
    const world = new World();
    expect(await world.belonging.has(HERE, DIGEST)).toBe(false);
    world.know(HERE, DIGEST);
    expect(await world.belonging.has(HERE, DIGEST)).toBe(true);
  });

  test.each([
    ['another repository', key('registry.test', 'acme/other')],
    ['another upstream', key('other.test', 'acme/app')],
    ['a repository whose joined names look the same', key('registry.testacme', '/app')],
  ])('not to %s', async (_, other) => {
    const { belonging } = new World();
    await belonging.add(HERE, DIGEST, 'confirmed');
    expect(await belonging.has(other, DIGEST)).toBe(false);
    expect(await belonging.has(HERE, digestOf('y'))).toBe(false);
  });
});

describe('an index that fails', () => {
  test('gives no permission, and its failure is reported', async () => {
    const world = new World();
    world.know(HERE, DIGEST);
    world.failure = new Error('disk full');
    expect(await world.belonging.has(HERE, DIGEST)).toBe(false);
    expect(world.told).toEqual([
      { kind: 'store-failed', operation: 'look up a belonging', error: world.failure },
    ]);
  });

  test('does not take away what upstream has confirmed', async () => {
    const world = new World();
    world.failure = new Error('disk full');
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    expect(await world.belonging.has(HERE, DIGEST)).toBe(true);
    expect(world.belonging.isRemembered(HERE, DIGEST)).toBe(true);
    expect([world.writes, world.told.length]).toEqual([1, 1]);
  });

  test('is written to again by the next confirmation, until a write succeeds', async () => {
    const world = new World();
    world.failure = new Error('locked');
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    expect(world.writes).toBe(2);
    world.failure = undefined;
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    expect(world.writes).toBe(3);
    world.belonging.forget();
    expect(await world.belonging.has(HERE, DIGEST)).toBe(true);
  });

  test('is written to by one of several confirmations at the same time', async () => {
    const world = new World();
    world.failure = new Error('locked');
    await Promise.all([1, 2, 3].map(() => world.belonging.add(HERE, DIGEST, 'confirmed')));
    expect(world.writes).toBe(1);
    await Promise.all([1, 2, 3].map(() => world.belonging.add(HERE, DIGEST, 'confirmed')));
    expect(world.writes).toBe(2);
  });

  test('gets `given` again on the next write, though upstream only confirms the bytes now', async () => {
    const world = new World();
    world.failure = new Error('locked');
    await world.belonging.add(HERE, DIGEST, 'given');
    world.failure = undefined;
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    expect(world.sources).toEqual(['given', 'given']);
  });

  test('gets `given` again even if it has recorded a confirmation meanwhile', async () => {
    const world = new World();
    const isOpen = Promise.withResolvers<void>();
    world.gate = isOpen.promise;
    const confirmed = world.belonging.add(HERE, DIGEST, 'confirmed');
    world.gate = Promise.reject(new Error('locked'));
    await world.belonging.add(HERE, DIGEST, 'given');
    isOpen.resolve();
    await confirmed;
    world.gate = Promise.resolve();
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    expect(world.sources).toEqual(['confirmed', 'given', 'given']);
  });

  test('leaves no belonging known, once content was deleted', async () => {
    const world = new World();
    world.failure = new Error('disk full');
    await world.belonging.add(HERE, DIGEST, 'confirmed');
    world.belonging.forget();
    expect(world.belonging.isRemembered(HERE, DIGEST)).toBe(false);
    expect(await world.belonging.has(HERE, DIGEST)).toBe(false);
  });
});
