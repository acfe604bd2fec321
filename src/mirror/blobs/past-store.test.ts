import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { scriptedBlob } from '../../../test/support/scripted-blob.ts';
import { bytesOf } from '../../../test/support/scripted-reader.ts';
import { createEvents } from '../../events.ts';
import { digestOf } from '../../oci/digest.ts';
import { StoreError } from '../../store/error.ts';
import { NegativeCache } from '../negative.ts';
import { PastStore } from './past-store.ts';

const CONTENT = bytesOf(0, 20_000);
const DIGEST = digestOf(CONTENT);
const FULL = new StoreError('begin a blob', { code: 'ENOSPC' });

test.each([
  [16, { start: 0, end: 10 }, undefined],
  [17, undefined, true],
])('of %i parts each is fetched by itself, or the whole in their place', async (count, first, isWhole) => {
  const { target, asked, open } = scriptedBlob(CONTENT, [{}]);
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000);
  const index = { describedSize: async () => CONTENT.length };
  const pastStore = new PastStore({ clock, events: createEvents(), negative, index });
  const ranges = Array.from({ length: count }, (_, i) => {
    return { kind: 'slice', start: 1_000 * i, end: 1_000 * i + 10 } as const;
  });
  const range = { kind: 'several', ranges } as const;
  const opened = await pastStore.open(target, DIGEST, { range, client: 'client' }, FULL);
  expect(asked).toEqual([first]);
  expect(opened.isWhole).toBe(isWhole);
  await opened.reader.close();
  expect(open()).toBe(0);
});
