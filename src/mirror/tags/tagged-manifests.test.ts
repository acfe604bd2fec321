import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FETCHED_INDEX as FETCHED, INDEX_BYTES as BYTES } from '../../../test/support/empty-index.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import type { StoredManifest } from '../../content/stored-manifest.ts';
import { digestOf, parseDigest, type Digest } from '../../oci/digest.ts';
import { parseTag } from '../../oci/tag.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { FetchedManifest } from '../../upstream/upstream.ts';
import type { ManifestPuller } from '../manifests/manifest-puller.ts';
import { TaggedManifests } from './tagged-manifests.ts';

const DIGEST = FETCHED.digest;
const TAG = parseTag('latest');
const SHA512 = parseDigest(`sha512:${createHash('sha512').update(BYTES).digest('hex')}`);

function refused(failure: UpstreamError['failure'], status?: number): UpstreamError {
  return new UpstreamError('registry.test', failure, 'status', 'no', status === undefined ? {} : { status });
}

/** An upstream that gives a manifest by its tag, and not by its digest. */
class World {
  readonly upstream = new StubUpstream();
  readonly target = targetOf(this.upstream.upstream);
  readonly taken: Digest[] = [];
  readonly tagged: TaggedManifests;
  fetched = FETCHED;

  constructor(byDigest: Error) {
    const manifests: Pick<ManifestPuller, 'pull' | 'take'> = {
      pull: () => Promise.reject(byDigest),
      take: async (_, { digest, mediaType, bytes }): Promise<StoredManifest> => {
        this.taken.push(digest);
        return { digest, mediaType, bytes };
      },
    };
    this.upstream.answer = () => Promise.resolve(this.fetched) as Promise<never>;
    this.tagged = new TaggedManifests(manifests as ManifestPuller, new ManualClock());
  }
}

describe('a manifest that upstream refuses by its digest', () => {
  it.each([
    ['not found', refused('absent', 404)],
    ['denied', refused('denied', 403)],
    ['a bad request', refused('unavailable', 400)],
    ['the last refusal of its kind', refused('unavailable', 499)],
  ])('is asked for by its tag: %s', async (_, error) => {
    const world = new World(error);
    const { manifest, outcome } = await world.tagged.pull(world.target, TAG, DIGEST);
    expect(manifest.digest).toBe(DIGEST);
    expect(outcome).toEqual({ hit: false, fwd: 'uri-miss', stored: true, collapsed: false });
    expect(world.taken).toEqual([DIGEST]);
  });

  it('is asked for by its tag once for callers that want it at the same time', async () => {
    const world = new World(refused('absent', 404));
    const pull = () => world.tagged.pull(world.target, TAG, DIGEST);
    const pulled = await Promise.all([pull(), pull()]);
    expect(pulled.map(({ outcome }) => outcome.collapsed)).toEqual([false, true]);
    expect(world.upstream.calls).toBe(1);
  });
});

describe('a failure that says nothing about the digest', () => {
  it.each([
    ['too many requests', refused('throttled', 429)],
    ['a failing registry', refused('unavailable', 500)],
    ['no answer', refused('unavailable')],
    ['something else', new Error('a mistake')],
  ])('is no reason to ask by the tag: %s', async (_, error) => {
    const world = new World(error);
    await expect(world.tagged.pull(world.target, TAG, DIGEST)).rejects.toBe(error);
    expect(world.upstream.calls).toBe(0);
  });
});

describe('a manifest that was asked for by its tag', () => {
  it.each<[string, Digest | undefined, Partial<FetchedManifest>, Digest]>([
    ['is kept by the digest that upstream has told, of any algorithm', SHA512, {}, SHA512],
    ['is kept by its own digest if upstream has told none', undefined, {}, DIGEST],
    ['is kept by its own digest if the tag has moved meanwhile', digestOf('other'), {}, DIGEST],
    ['has the digest that it came with if it cannot be verified', SHA512, { verified: false }, DIGEST],
  ])('%s', async (_, told, fetched, expected) => {
    const world = new World(refused('absent', 404));
    world.fetched = { ...FETCHED, ...fetched };
    const { manifest, outcome } = await world.tagged.fetch(world.target, TAG, told);
    expect([manifest.digest, outcome.stored]).toEqual([expected, world.fetched.verified]);
  });
});
