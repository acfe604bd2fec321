import { register as globalRegister } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { LarderEvent, ServedRequest } from '../events.ts';
import { digestOf } from '../oci/digest.ts';
import { createMetrics, type Gauges, type Metrics } from './metrics.ts';

const GAUGES: Gauges = {
  fills: () => 2,
  store: () => Promise.resolve({ blobs: 3, bytes: 4_096 }),
  storeLimit: 10_000,
  freeBytes: () => Promise.resolve(5_000),
  isDiskFailing: () => false,
  upstreams: ['a.test', 'b.test'],
  waitingClaims: (upstream) => Promise.resolve(upstream === 'a.test' ? 3 : 0),
};

function metricsWith(gauges: Partial<Gauges> = {}): Metrics {
  return createMetrics({ ...GAUGES, ...gauges });
}

/** Returns the samples of Larder's own metrics: `name{labels}` → value. */
async function samples(metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  const { text } = await metrics.read();
  const lines = text.split('\n').filter((line) => line.startsWith('larder_'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

async function after(...events: readonly LarderEvent[]): Promise<ReadonlyMap<string, number>> {
  const metrics = metricsWith();
  for (const event of events) metrics.listener(event);
  return samples(metrics);
}

const REQUEST: ServedRequest = {
  id: 'request-1',
  client: '192.0.2.7',
  userAgent: 'docker/27',
  method: 'GET',
  url: '/v2/acme/app/blobs/sha256:1',
  requestKind: 'blob',
  upstream: 'docker.io',
  repository: 'acme/app',
  reference: 'latest',
  outcome: 'miss',
  status: 200,
  bytes: 100,
  complete: true,
  firstByteMs: 20,
  durationMs: 50,
};

function served(change: Partial<ServedRequest> = {}): LarderEvent {
  return { kind: 'request-served', request: { ...REQUEST, ...change } };
}

const BLOB = { upstream: 'docker.io', digest: digestOf('x') } as const;

describe('requests', () => {
  test('are counted by kind, upstream, outcome and status; their bytes; the time to the first one', async () => {
    const counted = await after(
      served(),
      served({ bytes: 23 }),
      served({ outcome: 'hit', bytes: 1, firstByteMs: 0.5 }),
    );
    expect(Object.fromEntries(counted)).toMatchObject({
      'larder_requests_total{kind="blob",upstream="docker.io",outcome="miss",status="200"}': 2,
      'larder_requests_total{kind="blob",upstream="docker.io",outcome="hit",status="200"}': 1,
      'larder_client_bytes_total{kind="blob",upstream="docker.io"}': 124,
      'larder_first_byte_seconds_count{kind="blob",outcome="miss"}': 2,
      'larder_first_byte_seconds_sum{kind="blob",outcome="miss"}': 0.04,
      'larder_first_byte_seconds_bucket{le="0.01",kind="blob",outcome="miss"}': 0,
      'larder_first_byte_seconds_bucket{le="0.025",kind="blob",outcome="miss"}': 2,
      'larder_first_byte_seconds_bucket{le="0.001",kind="blob",outcome="hit"}': 1,
    });
    expect([...counted.keys()].filter((key) => key.startsWith('larder_cut'))).toEqual([]);
  });

  test('that were cut are counted apart, with the bytes that were sent', async () => {
    const counted = await after(served({ complete: false, bytes: 7 }));
    expect(counted.get('larder_cut_responses_total{kind="blob",upstream="docker.io"}')).toBe(1);
    expect(counted.get('larder_client_bytes_total{kind="blob",upstream="docker.io"}')).toBe(7);
  });

  test('that were refused before more was known are counted, too', async () => {
    const { upstream: _, outcome: __, firstByteMs: ___, ...unknown } = REQUEST;
    const counted = await after({
      kind: 'request-served',
      request: { ...unknown, requestKind: 'invalid', status: 400 },
    });
    expect(counted.get('larder_requests_total{kind="invalid",upstream="",outcome="",status="400"}')).toBe(1);
  });

  test('for health and metrics are not counted', async () => {
    const counted = await after(served({ requestKind: 'other' }));
    expect([...counted.keys()].filter((key) => key.startsWith('larder_requests'))).toEqual([]);
  });
});

describe('upstream', () => {
  test('its requests are counted by method, target and result, with their time and bytes', async () => {
    const asked = {
      kind: 'upstream-request',
      upstream: 'ghcr.io',
      method: 'HEAD',
      target: 'manifest',
    } as const;
    const counted = await after(
      { ...asked, result: 'ok', status: 200, durationMs: 30 },
      { ...asked, result: 'throttled', status: 429, durationMs: 10 },
      { ...asked, result: 'unavailable', durationMs: 2_000 },
      { kind: 'upstream-bytes', upstream: 'ghcr.io', bytes: 5 },
      { kind: 'upstream-bytes', upstream: 'ghcr.io', bytes: 6 },
    );
    const labels = 'upstream="ghcr.io",method="HEAD",target="manifest"';
    expect(Object.fromEntries(counted)).toMatchObject({
      [`larder_upstream_requests_total{${labels},result="ok"}`]: 1,
      [`larder_upstream_requests_total{${labels},result="throttled"}`]: 1,
      [`larder_upstream_requests_total{${labels},result="unavailable"}`]: 1,
      'larder_upstream_request_seconds_count{upstream="ghcr.io",target="manifest"}': 3,
      'larder_upstream_request_seconds_sum{upstream="ghcr.io",target="manifest"}': 2.04,
      'larder_upstream_bytes_total{upstream="ghcr.io"}': 11,
    });
  });

  test('its rate limit is the last that it told', async () => {
    const told = { kind: 'rate-limit', upstream: 'docker.io', limit: 100 } as const;
    const counted = await after({ ...told, remaining: 99 }, { ...told, remaining: 42 });
    expect(counted.get('larder_upstream_ratelimit_remaining{upstream="docker.io"}')).toBe(42);
  });

  test.each([
    ['open', 1],
    ['half-open', 1],
    ['closed', 0],
  ] as const)('its breaker: %s is %i', async (state, value) => {
    const opened = { kind: 'breaker-changed', upstream: 'docker.io', state: 'open' } as const;
    const counted = await after(opened, { ...opened, state });
    expect(counted.get('larder_upstream_breaker_open{upstream="docker.io"}')).toBe(value);
  });
});

describe('the cache', () => {
  test('its fills are counted by how they ended', async () => {
    const ended = { kind: 'fill-ended', ...BLOB, bytes: 7 } as const;
    const counted = await after(
      { kind: 'fill-started', ...BLOB },
      { ...ended, outcome: 'stored' },
      { ...ended, outcome: 'failed', error: new Error('x') },
      { ...ended, outcome: 'failed', error: new Error('y') },
    );
    expect(counted.get('larder_fills_total{upstream="docker.io",outcome="stored"}')).toBe(1);
    expect(counted.get('larder_fills_total{upstream="docker.io",outcome="failed"}')).toBe(2);
  });

  test.each<LarderEvent>([
    { kind: 'fill-resumed', ...BLOB, offset: 1 },
    { kind: 'verification-failed', ...BLOB, error: new Error('x') },
    { kind: 'stale-served', upstream: 'docker.io', repository: 'a', reference: 'b', error: new Error('x') },
    { kind: 'store-failed', operation: 'open', error: new Error('x') },
    { kind: 'tag-moved', upstream: 'a', repository: 'b', tag: 'c', from: BLOB.digest, to: BLOB.digest },
    { kind: 'blob-quarantined', digest: BLOB.digest, error: new Error('x') },
    { kind: 'index-replaced', setAside: '/cache/x', error: new Error('x') },
    { kind: 'keys-replaced', setAside: '/cache/x', error: new Error('x') },
    { kind: 'maintenance-failed', task: 'verify', error: new Error('x') },
    { kind: 'server-failed', operation: 'answer a request', error: new Error('x') },
  ])('$kind, which an operator may want to hear of', async (event) => {
    const counted = await after(event, event);
    expect(counted.get(`larder_events_total{event="${event.kind}"}`)).toBe(2);
  });

  test('its evictions are counted', async () => {
    const counted = await after(
      { kind: 'evicted', blobs: 2, bytes: 10 },
      { kind: 'evicted', blobs: 1, bytes: 5 },
    );
    expect([counted.get('larder_evicted_blobs_total'), counted.get('larder_evicted_bytes_total')]).toEqual([
      3, 15,
    ]);
  });

  test('its backlog is counted up to the number that the help says', async () => {
    const metrics = metricsWith({ waitingClaims: (_, limit) => Promise.resolve(Math.min(1_000_000, limit)) });
    const counted = (await samples(metrics)).get('larder_confirmations_waiting{upstream="a.test"}');
    expect(counted).toBe(10_000);
    expect((await metrics.read()).text).toContain(`not been asked for yet: ${counted} where it is more`);
  });

  test('its gauges are read anew at each scrape', async () => {
    let blobs = 0;
    const metrics = metricsWith({ store: () => Promise.resolve({ blobs: (blobs += 1), bytes: 10 * blobs }) });
    const first = await samples(metrics);
    expect(Object.fromEntries(first)).toMatchObject({
      larder_fills: 2,
      'larder_confirmations_waiting{upstream="a.test"}': 3,
      'larder_confirmations_waiting{upstream="b.test"}': 0,
      larder_store_limit_bytes: 10_000,
      larder_disk_free_bytes: 5_000,
      larder_disk_failing: 0,
    });
    const second = await samples(metrics);
    expect(second.get('larder_store_blobs')).toBeGreaterThan(first.get('larder_store_blobs') ?? 0);
    expect(second.get('larder_store_bytes')).toBeGreaterThan(first.get('larder_store_bytes') ?? 0);
  });

  test('its cap is shown only if there is one', async () => {
    expect((await samples(metricsWith({ storeLimit: undefined }))).has('larder_store_limit_bytes')).toBe(
      false,
    );
  });

  test('its failing disk is shown, and does not fail the scrape', async () => {
    const fails = (): Promise<never> => Promise.reject(new Error('EIO'));
    const metrics = metricsWith({ store: fails, freeBytes: fails, isDiskFailing: () => true });
    metrics.listener(served());
    const counted = await samples(metrics);
    expect(Object.fromEntries(counted)).toMatchObject({
      larder_store_blobs: NaN,
      larder_store_bytes: NaN,
      larder_disk_free_bytes: NaN,
      larder_disk_failing: 1,
      'larder_client_bytes_total{kind="blob",upstream="docker.io"}': 100,
    });
  });
});

test('refusals of access control are counted by their class', async () => {
  const denied = { kind: 'access-denied', id: '1', client: 'c', user: undefined, action: 'pull' } as const;
  const place = { upstream: undefined, repository: undefined };
  const failures = ['denied', 'denied', 'no-credentials'];
  const counted = await after(...failures.map((failure) => ({ ...denied, ...place, failure })));
  expect(counted.get('larder_access_denied_total{failure="denied"}')).toBe(2);
  expect(counted.get('larder_access_denied_total{failure="no-credentials"}')).toBe(1);
});

test('texts that clients choose make no series: their number is the same after a thousand of them', async () => {
  const chosen = (index: number): LarderEvent =>
    served({
      id: `chosen-${index}`,
      client: `chosen-${index}`,
      userAgent: `chosen-${index}`,
      method: `CHOSEN-${index}`,
      url: `/v2/chosen-${index}`,
      repository: `chosen-${index}`,
      reference: `chosen-${index}`,
      error: new Error(`chosen-${index}`),
    });
  const one = await after(chosen(0));
  const thousand = await after(...Array.from({ length: 1000 }, (_, index) => chosen(index)));
  expect([...thousand.keys()]).toEqual([...one.keys()]);
  expect([...thousand.keys()].join('\n').toLowerCase()).not.toContain('chosen');
});

test('each metric has a help text and a type, and the content type is that of Prometheus', async () => {
  const metrics = metricsWith();
  const { contentType, text } = await metrics.read();
  expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  const named = (word: string): string[] =>
    [...text.matchAll(new RegExp(`^# ${word} (\\S+) \\S`, 'gm'))].map(([, name]) => name ?? '');
  expect(named('HELP')).toEqual(named('TYPE'));
  expect(named('HELP')).toContain('process_resident_memory_bytes');
  expect(text).not.toMatch(/^# HELP \S+ undefined/m);
});

test('two instances share nothing, with each other or with the process', async () => {
  const first = metricsWith();
  const second = metricsWith();
  first.listener(served());
  const key = 'larder_client_bytes_total{kind="blob",upstream="docker.io"}';
  expect([(await samples(first)).get(key), (await samples(second)).get(key)]).toEqual([100, undefined]);
  expect(globalRegister.getMetricsAsArray()).toEqual([]);
});
