/** What fixtures tell of what a test, or the program, has left. */
import { expect, test } from 'vitest';
import { openSqliteIndex } from '../../src/index/sqlite/sqlite-index.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { startMirror } from '../support/mirror-fixture.ts';
import { watchIndex } from '../support/watched-index.ts';

test('a timer is told with who has set it', async () => {
  await using registry = await startFakeRegistry();
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  const cancelled = mirror.clock.after(7_000, () => {});
  mirror.clock.after(5_000, () => {});
  cancelled();
  await expect(mirror[Symbol.asyncDispose]()).rejects.toThrow(
    /^this is left:\na timer of 5000 ms, set by test\/integration\/left-over\.test\.ts:\d+$/,
  );
});

test('a reader is told by its digest and its file', async () => {
  await using registry = await startFakeRegistry();
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  const { digest } = registry.putBlob('acme/app', Buffer.alloc(100_000));
  await mirror.get(`/v2/acme/app/blobs/${digest}`);
  const reader = await mirror.store.open(digest);
  await expect(mirror[Symbol.asyncDispose]()).rejects.toThrow(`held: ${digest}\nopen: ${mirror.directory}`);
  await reader?.close();
});

test('calls of an index are told that have not ended', async () => {
  const never = new Promise<never>(() => {});
  const inner = await openSqliteIndex(':memory:');
  const { index, running } = watchIndex({ ...inner, blob: () => never });
  await index.stats();
  expect(running()).toEqual([]);
  void index.blob(digestOf('never'));
  await index.close();
  expect(running()).toEqual([
    expect.stringMatching(/^index\.blob, called by test\/integration\/left-over\.test\.ts:\d+$/),
  ]);
});

test('a clock that moves when it is read never goes back', () => {
  const clock = new ManualClock(0, 3);
  const seen: number[] = [];
  const look = (): void => void seen.push(clock.monotonic());
  for (const ms of [10, 10, 20]) clock.after(ms, look);
  clock.after(10, () => {
    for (let times = 0; times < 10; times += 1) look();
  });
  clock.advance(20);
  look();
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen).toHaveLength(14);
});
