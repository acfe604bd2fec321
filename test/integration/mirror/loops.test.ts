import { describe, expect, test } from 'vitest';
import { connectTo, type Network } from '../../../src/upstream/connections/network.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { MINUTE, startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { redirect, instead } from '../../support/scripted-reply.ts';

/** An upstream whose URL leads to a mirror that is started later. */
function leadingTo(mirror: () => MirrorFixture): { registry: { url: URL }; network: Network } {
  return {
    registry: { url: new URL('http://mirror.test:5000') },
    network: {
      resolve: () => Promise.resolve(['8.8.8.8']),
      connect: (_addresses, _port, options) =>
        connectTo({ host: '127.0.0.1', port: Number(mirror().url.port) }, options),
    },
  };
}

const DIGEST = `sha256:${'a'.repeat(64)}`;
const PATHS = ['manifests/1', `manifests/${DIGEST}`, `blobs/${DIGEST}`, 'tags/list', `referrers/${DIGEST}`];

/** Of a cold GET, which must come while time stands still. */
async function told(mirror: MirrorFixture, path: string): Promise<string> {
  const { status, body } = await mirror.get(`/v2/acme/app/${path}`);
  expect(status).toBe(508);
  return body.toString();
}

describe('a mirror whose upstream leads back to it', () => {
  test.each(PATHS)('says so at once: %s', async (path) => {
    const own: MirrorFixture[] = [];
    await using mirror = await startMirror({
      upstreams: [{ name: 'registry.test', ...leadingTo(() => own[0] as MirrorFixture) }],
    });
    own.push(mirror);
    expect(await told(mirror, path)).toMatch(/answered 508.*leads back/);
    // What the client asked, and what came back of it.
    expect(mirror.served.length).toBeGreaterThan(1);
    expect(mirror.served.length).toBeLessThanOrEqual(4);
  });

  test.each(PATHS)('through another one: %s', async (path) => {
    const own: MirrorFixture[] = [];
    await using one = await startMirror({
      upstreams: [{ name: 'registry.test', ...leadingTo(() => own[1] as MirrorFixture) }],
    });
    await using other = await startMirror({
      upstreams: [{ name: 'registry.test', ...leadingTo(() => own[0] as MirrorFixture) }],
    });
    own.push(one, other);
    expect(await told(one, path)).toMatch(/answered 508.*leads back/);
    expect([one, other].map(({ served }) => served.length > 0 && served.length <= 4)).toEqual([true, true]);
  });

  test('serves what is cached, as where upstream is down', async () => {
    await using registry = await startFakeRegistry();
    const image = registry.putImage('acme/app', '1');
    const to = { port: Number(registry.url.port) };
    const network: Network = {
      resolve: () => Promise.resolve(['8.8.8.8']),
      connect: (_addresses, _port, options) => connectTo({ host: '127.0.0.1', port: to.port }, options),
    };
    const url = new URL('http://mirror.test:5000');
    await using mirror = await startMirror({
      upstreams: [{ name: 'registry.test', registry: { url }, network }],
    });
    const path = '/v2/acme/app/manifests/1';
    await mirror.get(path);
    to.port = Number(mirror.url.port);
    await registry.close();
    mirror.clock.advance(5 * MINUTE);
    const { status, headers, body } = await mirror.get(path);
    expect([status, body]).toEqual([200, Buffer.from(image.bytes)]);
    expect(headers.warning).toContain('leads back');
  });

  test('by a redirect', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.fault({ kind: 'blob' }, instead(redirect(`${mirror.url.href}v2/acme/app/blobs/${DIGEST}`)));
    expect(await told(mirror, `blobs/${DIGEST}`)).toMatch(/answered 508.*leads back/);
  });
});

test('two mirrors in a row are none: cold, cached, and what is cached behind the first', async () => {
  await using registry = await startFakeRegistry();
  const image = registry.putImage('acme/app', '1');
  await using second = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  await using first = await startMirror({ upstreams: [{ name: 'registry.test', registry: second }] });
  const layer = `/v2/acme/app/blobs/${image.layers[0]?.digest}`;
  for (const path of ['/v2/acme/app/manifests/1', layer, '/v2/acme/app/tags/list']) {
    for (const mirror of [first, first, second]) {
      const via = { via: '1.1 proxy.inside (squid)' };
      expect((await mirror.get(path, { headers: via })).status).toBe(200);
    }
  }
  const vias = registry.requests.map(({ headers }) => headers.via ?? '');
  // The proxy inside is not told of.
  expect(new Set(vias.map((via) => via.replaceAll(/larder-[\w-]+/g, 'larder')))).toEqual(
    new Set(['1.1 larder, 1.1 larder']),
  );
});
