import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StubUpstream } from '../../../test/support/stub-upstream.ts';
import { createEvents } from '../../events.ts';
import type { ContentIndex } from '../../index/content-index.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { ReferrerLists } from './referrer-lists.ts';
import type { Target } from '../target.ts';

/** How often upstream is asked for a list of one descriptor that is asked for twice. */
async function askedTwice(annotation: string): Promise<number> {
  let asked = 0;
  const descriptor = {
    mediaType: MediaType.ociManifest,
    digest: digestOf('signature'),
    size: 7,
    annotations: { annotation },
  };
  const referrers = (): Promise<readonly (typeof descriptor)[]> => {
    asked += 1;
    return Promise.resolve([descriptor]);
  };
  const lists = new ReferrerLists({
    index: {} as ContentIndex,
    manifests: { cached: () => Promise.resolve(undefined) },
    clock: new ManualClock(),
    events: createEvents(),
    ttlMs: 1000,
    memoryBytes: 1000,
  });
  const key = { upstream: 'registry.test', repository: parseRepositoryName('acme/app') };
  const upstream = { ...new StubUpstream().upstream, referrers };
  const target = { upstream, key, tags: {} } as unknown as Target;
  for (let i = 0; i < 2; i += 1) {
    const { descriptors } = await lists.list(target, digestOf('subject'));
    expect(descriptors).toEqual([descriptor]);
  }
  return asked;
}

test('a list is kept in memory by its bytes, not by how many descriptors it has', async () => {
  expect(await askedTwice('short')).toBe(1);
  expect(await askedTwice('x'.repeat(1000))).toBe(2);
  // Three bytes each.
  expect(await askedTwice('\u20ac'.repeat(400))).toBe(2);
});
