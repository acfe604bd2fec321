import { describe, expect, test } from 'vitest';
import { bytes, challenged, json, redirect, registryError, status } from '../../support/scripted-reply.ts';
import {
  LAYER,
  LAYER_DIGEST,
  MANIFEST_DIGEST,
  manifestReply,
  readBlob,
  repo,
  tagged,
} from '../../support/upstream-content.ts';
import { startForwardProxy, through } from '../../support/proxy.ts';
import { startScriptedUpstream } from '../../support/scripted-upstream.ts';
import { startUpstreamFixture } from '../../support/upstream-fixture.ts';
import type { UpstreamError } from '../../../src/upstream/error.ts';
import { credentialSource } from '../../../src/upstream/credentials/source.ts';

const REGISTRY = 'registry.example.com';
const OTHER = 'cdn.example.com';
const app = repo('team/app');
const blobPath = `/v2/team/app/blobs/${LAYER_DIGEST}`;
const account = credentialSource(
  { kind: 'password', username: 'bot', password: 'secret' },
  { name: REGISTRY, url: new URL(`https://${REGISTRY}`) },
);

describe('where a redirect may lead', () => {
  test('ten are followed, eleven are not', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.on('GET', '/v2/ten/manifests/1').reply(redirect('/hop?n=1'));
    registry.on('GET', '/v2/eleven/manifests/1').reply(redirect('/hop?n=0'));
    registry.on('GET', '/hop').withQuery('n', '10').reply(manifestReply());
    registry.on('GET', '/hop').reply(({ query }) => redirect(`/hop?n=${Number(query.get('n')) + 1}`, 302));
    expect((await registry.upstream.manifest(repo('ten'), tagged('1'))).digest).toBe(MANIFEST_DIGEST);
    const eleven = registry.upstream.manifest(repo('eleven'), tagged('1'));
    await expect(eleven).rejects.toMatchObject({ failure: 'unavailable', reason: 'redirect' });
  });

  test('never from https to http', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    registry.on('GET', blobPath).reply(redirect(`http://${OTHER}/blob?sig=secret`));
    const error: unknown = await registry.upstream.blob(app, LAYER_DIGEST).catch((error: unknown) => error);
    expect(error).toMatchObject({ failure: 'unavailable', reason: 'redirect', status: 307 });
    expect(String(error)).not.toContain('secret');
  });

  test.each([
    ['nowhere', status(307)],
    ['another protocol', redirect('file:///etc/passwd')],
    ['nonsense', redirect('http://[')],
  ])('not to %s', async (_name, reply) => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.on('GET', blobPath).reply(reply);
    const fetch = registry.upstream.blob(app, LAYER_DIGEST);
    await expect(fetch).rejects.toMatchObject({ failure: 'unavailable', reason: 'redirect' });
  });
});

describe('what a redirect carries', () => {
  test('the account goes to no other port of the same host', async () => {
    await using other = await startScriptedUpstream();
    await using registry = await startUpstreamFixture(REGISTRY, [], { credentials: account, scheme: 'http' });
    registry.on('GET', blobPath).withHeader('authorization', undefined).reply(challenged('Basic realm="x"'));
    registry.on('GET', blobPath).reply(redirect(`http://${REGISTRY}:${other.port}/blob`));
    other.on('GET', '/blob').withHeader('authorization', undefined).reply(bytes(LAYER));
    expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
  });

  test('the account goes to no other host, though that one asks for it', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER], { credentials: account });
    registry
      .on('GET', blobPath)
      .withHeader('authorization', undefined)
      .once()
      .reply(challenged('Basic realm="x"'));
    registry
      .on('GET', blobPath)
      .withHeader('authorization', /^Basic/)
      .reply(redirect(registry.url(OTHER, '/blob')));
    registry
      .on('GET', '/blob')
      .at(OTHER)
      .withHeader('authorization', undefined)
      .reply(challenged('Basic realm="give it to me"'));
    registry.on('GET', '/v2/').at(OTHER).reply(challenged('Basic realm="give it to me"'));
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject({ failure: 'denied' });
    expect(registry.hitsAt(OTHER).every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test('a token of this host goes to no other host, and one that comes back to this host does', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    const challenge = `Bearer realm="${registry.url(REGISTRY, '/token')}"`;
    registry
      .on('GET', '/token')
      .once()
      .reply(json({ token: 't' }));
    registry.on('GET', blobPath).withHeader('authorization', undefined).reply(challenged(challenge));
    registry
      .on('GET', blobPath)
      .withHeader('authorization', 'Bearer t')
      .reply(redirect(registry.url(OTHER, '/via')));
    registry
      .on('GET', '/via')
      .withHeader('authorization', undefined)
      .reply(redirect(registry.url(REGISTRY, '/blob')));
    registry.on('GET', '/blob').at(REGISTRY).withHeader('authorization', 'Bearer t').reply(bytes(LAYER));
    expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
  });

  test('a redirect is not remembered', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    registry
      .on('GET', blobPath)
      .times(2)
      .reply(redirect(registry.url(OTHER, '/blob'), 308));
    registry.on('GET', '/blob').times(2).reply(bytes(LAYER));
    await readBlob(await registry.upstream.blob(app, LAYER_DIGEST));
    await readBlob(await registry.upstream.blob(app, LAYER_DIGEST));
    expect(registry.hitsAt(REGISTRY)).toHaveLength(2);
  });

  test.each<[string, string, string]>([
    ['a quote', "/a'b?sig='x'", "/a'b"],
    ['encoded dots', '/a/%2e%2e/b?sig=1', '/a/../b'],
    ['a bare question mark', '/b?', '/b'],
    ['brackets, bars and braces', '/{b}?sig=|x|[y]', '/{b}'],
  ])('a signed URL with %s goes out as it was signed', async (_, signed, path) => {
    for (const way of ['straight', 'proxy'] as const) {
      await using proxy = await startForwardProxy();
      const options = way === 'proxy' ? { proxyFor: through(proxy.url) } : {};
      await using registry = await startUpstreamFixture(REGISTRY, [OTHER], options);
      registry.on('GET', blobPath).reply(redirect(registry.url(OTHER, '/first?x=%7c')));
      registry.on('GET', '/first').reply(redirect(signed));
      registry.on('GET', path).at(OTHER).reply(bytes(LAYER));
      expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
      expect(registry.hitsAt(OTHER).map(({ target }) => target)).toEqual(['/first?x=%7c', signed]);
    }
  });

  test('the range goes along', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    registry.on('GET', blobPath).reply(redirect(registry.url(OTHER, '/blob')));
    registry.on('GET', '/blob').withHeader('range', 'bytes=5-').reply(bytes(LAYER));
    expect((await registry.upstream.blob(app, LAYER_DIGEST, { range: { start: 5 } })).start).toBe(5);
  });
});

describe('what a store says that a redirect leads to', () => {
  test.each([[404], [410]])('%i of a blob is not the word of the registry', async (code) => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    for (const method of ['GET', 'HEAD'] as const) {
      registry.on(method, blobPath).reply(redirect(registry.url(OTHER, '/blob')));
      registry.on(method, '/blob').reply(status(code, { body: '<Error><Code>NoSuchKey</Code></Error>' }));
    }
    const expected = { failure: 'unavailable', reason: 'redirect', status: code };
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject(expected);
    await expect(registry.upstream.statBlob(app, LAYER_DIGEST)).rejects.toMatchObject(expected);
  });

  test('404 of a manifest is neither', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    for (const method of ['GET', 'HEAD'] as const) {
      registry.on(method, '/v2/team/app/manifests/1').reply(redirect(registry.url(OTHER, '/1')));
      registry.on(method, '/1').reply(status(404));
    }
    expect(await registry.upstream.resolve(app, tagged('1'))).toBeUndefined();
    const pull = registry.upstream.manifest(app, tagged('1'));
    await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'redirect', status: 404 });
  });

  test('404 of another registry is', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    for (const method of ['GET', 'HEAD'] as const) {
      registry.on(method, blobPath).reply(redirect(registry.url(OTHER, '/blob')));
      registry.on(method, '/blob').reply(registryError(404, 'BLOB_UNKNOWN'));
    }
    const expected = { failure: 'absent', status: 404 };
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject(expected);
    await expect(registry.upstream.statBlob(app, LAYER_DIGEST)).rejects.toMatchObject(expected);
  });

  test.each([[400], [403]])('a signed URL that it refuses with %i is asked for again', async (code) => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    registry
      .on('GET', blobPath)
      .times(2)
      .reply(redirect(registry.url(OTHER, '/blob')));
    const expired = status(code, { body: '<Error><Code>ExpiredToken</Code></Error>' });
    registry.on('GET', '/blob').once().reply(expired);
    registry.on('GET', '/blob').once().reply(bytes(LAYER));
    expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
  });
});

describe('which addresses a redirect may lead to', () => {
  test.each([
    ['169.254.169.254', 'http'],
    ['127.0.0.1', 'https'],
    ['[::1]', 'https'],
    ['10.0.0.1', 'https'],
    ['192.168.1.1', 'https'],
    ['100.64.0.1', 'https'],
    ['[fd00::1]', 'https'],
    ['[::ffff:7f00:1]', 'https'],
    ['0.0.0.0', 'https'],
    ['2130706433', 'https'],
    ['0x7f.1', 'https'],
    ['localhost', 'https'],
  ])('a public registry does not lead to %s', async (host, scheme) => {
    await using registry = await startUpstreamFixture(REGISTRY, [], { scheme: 'http' });
    registry.network.name('localhost', '127.0.0.1');
    registry
      .on('GET', blobPath)
      .reply(redirect(`${scheme}://${host}:${registry.script.port}/latest/meta-data`));
    const fetch = registry.upstream.blob(app, LAYER_DIGEST);
    await expect(fetch).rejects.toMatchObject({ failure: 'unavailable', reason: 'forbidden-address' });
    expect(registry.network.dialled).toEqual(['8.8.8.8']);
  });

  test.each([['10.0.0.1'], ['127.0.0.1'], ['169.254.169.254'], ['fd00:ec2::254'], ['::1']])(
    'nor to a name that resolves to %s, even beside a public address',
    async (address) => {
      await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
      registry.network.name(OTHER, '8.8.8.8', address);
      registry.on('GET', blobPath).reply(redirect(registry.url(OTHER, '/blob')));
      const fetch = registry.upstream.blob(app, LAYER_DIGEST);
      await expect(fetch).rejects.toMatchObject({ failure: 'unavailable', reason: 'forbidden-address' });
      expect(registry.network.dialled).toEqual(['8.8.8.8']);
    },
  );

  test.each([
    ['10.0.0.5', '10.0.0.6', true],
    ['10.0.0.5', 'fd00::6', true],
    ['10.0.0.5', '127.0.0.1', false],
    ['10.0.0.5', '169.254.169.254', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '10.0.0.6', true],
    ['127.0.0.1', '169.254.169.254', false],
  ])('a registry at %s leads to a store at %s: %s', async (own, store, allowed) => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    registry.network.name(REGISTRY, own).name(OTHER, store);
    registry.on('GET', blobPath).reply(redirect(registry.url(OTHER, '/blob')));
    registry.on('GET', '/blob').reply(bytes(LAYER));
    const fetch = registry.upstream.blob(app, LAYER_DIGEST).then(readBlob);
    const outcome = await fetch.then(
      ({ length }) => length,
      (error: UpstreamError) => error.reason,
    );
    expect(outcome).toBe(allowed ? LAYER.length : 'forbidden-address');
  });

  test('a registry outside gets nowhere inside by its name leading inside from now on', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER]);
    registry.network.name(OTHER, '10.0.0.6');
    registry.on('GET', blobPath).reply(() => {
      registry.network.name(REGISTRY, '10.0.0.5');
      return redirect(registry.url(OTHER, '/blob'));
    });
    const fetch = registry.upstream.blob(app, LAYER_DIGEST);
    await expect(fetch).rejects.toMatchObject({ failure: 'unavailable', reason: 'forbidden-address' });
    expect(registry.network.dialled).toEqual(['8.8.8.8']);
  });

  test('nor to another port of its own host', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.on('GET', blobPath).reply(() => {
      registry.network.name(REGISTRY, '127.0.0.1');
      return redirect(`https://${REGISTRY}:6379/blob`);
    });
    const fetch = registry.upstream.blob(app, LAYER_DIGEST);
    await expect(fetch).rejects.toMatchObject({ failure: 'unavailable', reason: 'forbidden-address' });
    expect(registry.network.dialled).toEqual(['8.8.8.8']);
  });

  test('a registry inside leads to a store on another port of its host', async () => {
    await using store = await startScriptedUpstream();
    await using registry = await startUpstreamFixture(REGISTRY, [], { scheme: 'http' });
    registry.network.name(REGISTRY, '10.0.0.5');
    registry.on('GET', blobPath).reply(redirect(`http://${REGISTRY}:${store.port}/blob`));
    store.on('GET', '/blob').reply(bytes(LAYER));
    expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
  });

  test('allowPrivateNetworks opens private addresses, but not cloud metadata', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [OTHER], { allowPrivateNetworks: true });
    registry.network.name(OTHER, '127.0.0.1');
    registry.on('GET', blobPath).reply(redirect(registry.url(OTHER, '/blob')));
    registry.on('GET', '/blob').reply(bytes(LAYER));
    expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
    registry.on('GET', '/v2/other/manifests/1').reply(redirect(registry.url('169.254.169.254', '/')));
    const pull = registry.upstream.manifest(repo('other'), tagged('1'));
    await expect(pull).rejects.toMatchObject({ reason: 'forbidden-address' });
  });

  test('a registry whose name turns out to be cloud metadata is not asked', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.network.name(REGISTRY, '169.254.169.254');
    const pull = registry.upstream.manifest(app, tagged('1'));
    await expect(pull).rejects.toMatchObject({ reason: 'forbidden-address' });
    expect(registry.network.dialled).toEqual([]);
  });
});
