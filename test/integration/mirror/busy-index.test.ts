import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { MINUTE, startMirror } from '../../support/mirror-fixture.ts';

/** What SQLite would wait for by itself, while the process does nothing else. */
const BUSY_MS = 2_000;

test('while another program writes into the index, every request is answered at once', async () => {
  await using registry = await startFakeRegistry();
  const warm = registry.putImage('acme/app', 'warm', { config: {}, layers: [Buffer.from('warm layer')] });
  const cold = registry.putImage('acme/app', 'cold', { config: {}, layers: [Buffer.from('cold layer')] });
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  const blob = ({ layers: [layer] }: typeof warm): string => `/v2/acme/app/blobs/${layer?.digest}`;
  await mirror.get('/v2/acme/app/manifests/warm');
  await mirror.get(blob(warm));

  using other = new DatabaseSync(join(mirror.directory, 'index.db'));
  other.exec('BEGIN IMMEDIATE');
  const startedAt = performance.now();
  for (const path of ['/v2/acme/app/manifests/warm', blob(warm)]) {
    const { status, headers } = await mirror.get(path);
    expect([status, headers['cache-status']]).toEqual([200, expect.stringContaining('larder; hit')]);
  }
  mirror.clock.advance(6 * MINUTE);
  for (const path of ['/v2/acme/app/manifests/warm', '/v2/acme/app/manifests/cold', blob(cold)]) {
    expect((await mirror.get(path)).status).toBe(200);
  }
  expect((await mirror.get('/readyz')).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(BUSY_MS);
  expect(mirror.events).toContainEqual(
    expect.objectContaining({
      kind: 'store-failed',
      error: expect.objectContaining({ code: 'SQLITE_BUSY' }),
    }),
  );

  other.exec('ROLLBACK');
  for (const path of ['/v2/acme/app/manifests/cold', blob(cold)]) await mirror.get(path);
  for (const path of ['/v2/acme/app/manifests/cold', blob(cold)]) {
    expect((await mirror.get(path)).headers['cache-status']).toContain('larder; hit');
  }
});

test('readiness asks the index for a name and not for what is cached', async () => {
  await using registry = await startFakeRegistry();
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  const failing = (): Promise<never> => Promise.reject(new Error('this walks through what is cached'));
  Object.assign(mirror.index, { repositories: failing, tags: failing });
  expect((await mirror.get('/readyz')).status).toBe(200);
  Object.assign(mirror.index, { tag: failing });
  expect((await mirror.get('/readyz')).status).toBe(503);
});
