import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents } from '../../events.ts';
import type { WaitingClaim } from '../../index/content-permission.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import type { RememberingIndex } from '../remembering-index.ts';
import type { Target } from '../target.ts';
import { EarlyConfirmation } from './early.ts';
import type { Permission } from './permission.ts';

const KEY = { upstream: 'registry.test', repository: parseRepositoryName('acme/app') };
const CLAIM: WaitingClaim = { key: KEY, digest: digestOf('base'), size: 4, isManifest: false, position: 1 };

/** One claim waits, and is confirmed as `confirm` does. */
function start(confirm: () => Promise<boolean>): { early: EarlyConfirmation; clock: ManualClock } {
  const clock = new ManualClock();
  const index = {
    waitingClaim: () => Promise.resolve(CLAIM),
    passOver: () => Promise.resolve(),
  } as unknown as RememberingIndex;
  const permission = { confirm } as unknown as Permission;
  const findTarget = (): Target => ({ key: KEY }) as unknown as Target;
  const early = new EarlyConfirmation({ index, permission, findTarget, clock, events: createEvents() });
  return { early, clock };
}

test('what is asked in the background is of no request, though one has woken it', async () => {
  const requests = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const { early, clock } = start(() => {
    seen.push(requests.getStore());
    return Promise.resolve(true);
  });
  // A timer runs in the context that has set it; this clock's, in the one that moves it.
  requests.run('a request', () => {
    early.wake('registry.test');
    clock.advance(200);
  });
  await expect.poll(() => seen).toEqual([undefined]);
  await early.close();
});
