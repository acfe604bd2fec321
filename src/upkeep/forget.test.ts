import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { digestOf } from '../oci/digest.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { parseTag } from '../oci/tag.ts';
import { forgetSteps } from './forget.ts';
import { Pacer } from '../async/pace.ts';
import { runSteps, totalsOf, type StepStats } from './steps.ts';

const DAY = 24 * 3_600_000;
const KEY = { registry: 'docker.io', repository: parseRepositoryName('acme/app') };

it('forgets each of many tags 30 days after its image was found gone, and keeps their history', async () => {
  const clock = new ManualClock();
  const index = await openSqliteIndex(':memory:');
  const pacer = new Pacer(clock, undefined, new AbortController().signal);
  const run = async (): Promise<StepStats> =>
    totalsOf(await runSteps(forgetSteps({ index, clock }, pacer), clock));
  const tags = Array.from({ length: 250 }, (_, number) => parseTag(`build-${number}`));
  for (const tag of tags) {
    await index.putTag(KEY, tag, { digest: digestOf(tag), checkedAt: clock.now() });
    await index.putBelonging(KEY, digestOf(tag), 'given');
  }
  for (const days of [0, 29]) {
    clock.advance(days * DAY);
    expect(await run()).toEqual({ tags: 0, belongings: 0, manifests: 0 });
  }
  clock.advance(DAY);
  expect(await run()).toEqual({ tags: 250, belongings: 0, manifests: 0 });
  clock.advance(30 * DAY);
  expect(await run()).toEqual({ tags: 0, belongings: 250, manifests: 0 });
  expect(await index.tagHistory(KEY, parseTag('build-7'))).toMatchObject([{ ended: 'forgotten' }]);
  await index.close();
});
