import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents } from '../../events.ts';
import type { WaitingClaim } from '../../index/belonging-index.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { NegativeCache } from '../negative-cache.ts';
import type { RememberingIndex } from '../../index/decorators/remembering-index.ts';
import type { Target } from '../../mirror/target.ts';
import type { Belonging } from '../../mirror/permission/belonging.ts';
import { EarlyConfirmation } from './early-confirmation.ts';
import { Permission } from '../../mirror/permission/permission.ts';

const KEY = { registry: 'registry.test', repository: parseRepositoryName('acme/app') };
const CLAIM: WaitingClaim = { key: KEY, digest: digestOf('base'), size: 4, isManifest: false, position: 1 };

/** Sets up one waiting claim, of an upstream that answers with `statBlob`. */
function start(statBlob: Upstream['statBlob']): { early: EarlyConfirmation; clock: ManualClock } {
  const clock = new ManualClock();
  const events = createEvents();
  const index = {
    waitingClaim: () => Promise.resolve(CLAIM),
    passOver: () => Promise.resolve(),
  } as unknown as RememberingIndex;
  const belonging = { add: () => Promise.resolve() } as unknown as Belonging;
  const negative = new NegativeCache(clock, 30_000);
  const recovered = { isServed: false, isWordEnough: true };
  const permission = new Permission({ index, belonging, negative, recovered, clock, events });
  const target = { key: KEY, upstream: { statBlob } } as unknown as Target;
  const early = new EarlyConfirmation({ index, permission, findTarget: () => target, clock, events });
  return { early, clock };
}

test('a question in the background belongs to no request, even if a request has woken it', async () => {
  const requests = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const { early, clock } = start(() => {
    seen.push(requests.getStore());
    return Promise.resolve({ size: CLAIM.size, by: 'head' });
  });
  // A real timer runs in the context that has set it; this clock's timer runs in the context that moves the clock.
  requests.run('a request', () => {
    early.wake('registry.test');
    clock.advance(200);
  });
  await expect.poll(() => seen).toEqual([undefined]);
  await early.close();
});

test('closing does not wait for an upstream that hangs', async () => {
  const hanging = Promise.withResolvers<AbortSignal | undefined>();
  const { early, clock } = start((_repository, _digest, options) => {
    const { promise, reject } = Promise.withResolvers<never>();
    options?.signal?.addEventListener('abort', () => {
      reject(new UpstreamError('registry.test', 'unavailable', 'cancelled', 'the request was given up'));
    });
    hanging.resolve(options?.signal);
    return promise;
  });
  early.wake('registry.test');
  clock.advance(200);
  const signal = await hanging.promise;
  await early.close();
  expect([signal?.aborted, clock.pending]).toEqual([true, 0]);
});
