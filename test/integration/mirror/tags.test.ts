import { describe, expect, test } from 'vitest';
import { MediaType } from '../../../src/oci/media-type.ts';
import { parseRepositoryName } from '../../../src/oci/repository-name.ts';
import { parseTag } from '../../../src/oci/tag.ts';
import type { TagPolicy } from '../../../src/mirror/tag-policy.ts';
import type { CredentialSource } from '../../../src/upstream/credentials/credentials.ts';
import {
  startFakeRegistry,
  type FakeRegistry,
  type FakeRegistryOptions,
} from '../../support/fake-registry.ts';
import { FakeNetwork } from '../../support/fake-network.ts';
import { repo, tagged } from '../../support/upstream-content.ts';
import { MINUTE, startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import {
  challenged,
  instead,
  neverRespond,
  registryError,
  status,
  withHeaders,
} from '../../support/scripted-reply.ts';

const PATH = '/v2/acme/app/manifests/latest';
const TTL = 5 * MINUTE;

async function start(
  tags: Partial<TagPolicy> = {},
  options: FakeRegistryOptions = {},
  client: { readonly credentials?: CredentialSource } = {},
  network?: FakeNetwork,
): Promise<{ registry: FakeRegistry; mirror: MirrorFixture } & AsyncDisposable> {
  const registry = await startFakeRegistry(options);
  const mirror = await startMirror({
    upstreams: [{ name: 'registry.test', registry, tags, client, ...(network && { network }) }],
  });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Requests for manifests that upstream has had: by HEAD, by GET. */
function asked(registry: FakeRegistry): [heads: number, gets: number] {
  return [
    registry.count({ kind: 'manifest', method: 'HEAD' }),
    registry.count({ kind: 'manifest', method: 'GET' }),
  ];
}

describe('what a tag costs upstream', () => {
  test('cold: one HEAD and one GET by digest', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    const answer = await world.mirror.get(PATH);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(Buffer.from(image.bytes));
    expect(answer.headers['docker-content-digest']).toBe(image.digest);
    expect(answer.headers['content-type']).toBe(MediaType.ociManifest);
    expect(answer.headers['content-length']).toBe(String(image.bytes.length));
    expect(answer.headers['cache-status']).toBe('larder; fwd=uri-miss; stored');
    expect(asked(world.registry)).toEqual([1, 1]);
  });

  test('within its time to live: nothing', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.mirror.clock.advance(TTL - 1_500);
    const answer = await world.mirror.get(PATH);
    expect(answer.headers['cache-status']).toBe('larder; hit; ttl=1');
    expect(asked(world.registry)).toEqual([1, 1]);
  });

  test('after its time to live: one HEAD, and then nothing again', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.mirror.clock.advance(TTL);
    expect((await world.mirror.get(PATH)).headers['cache-status']).toBe('larder; fwd=stale');
    expect(asked(world.registry)).toEqual([2, 1]);
    await world.mirror.get(PATH);
    expect(asked(world.registry)).toEqual([2, 1]);
  });

  test('a second tag of a cached digest: one HEAD', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    world.registry.tag('acme/app', '1.0', image.digest);
    await world.mirror.get(PATH);
    expect((await world.mirror.get('/v2/acme/app/manifests/1.0')).body).toEqual(Buffer.from(image.bytes));
    expect(asked(world.registry)).toEqual([2, 1]);
  });

  test('a HEAD of a cold tag: one HEAD, so that looking for a new version costs no pull', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    const answer = await world.mirror.head(PATH);
    expect(answer.headers).toMatchObject({
      'docker-content-digest': image.digest,
      'content-type': MediaType.ociManifest,
      'content-length': String(image.bytes.length),
    });
    expect(answer.body.length).toBe(0);
    expect(asked(world.registry)).toEqual([1, 0]);
    await world.mirror.get(PATH);
    expect(asked(world.registry)).toEqual([1, 1]);
  });

  test('an immutable tag, once cached: nothing ever', async () => {
    await using world = await start({ isImmutable: (tag) => tag === 'latest' });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.mirror.clock.advance(1_000 * TTL);
    expect((await world.mirror.get(PATH)).headers['cache-status']).toBe('larder; hit');
    expect(asked(world.registry)).toEqual([1, 1]);
  });

  test('a hundred clients at once: one HEAD and one GET', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    const stalled = neverRespond();
    world.registry.fault({ method: 'HEAD', times: 1 }, stalled);
    const answers = Promise.all(Array.from({ length: 100 }, () => world.mirror.get(PATH)));
    await stalled.reached;
    stalled.release();
    for (const answer of await answers) expect(answer.body).toEqual(Buffer.from(image.bytes));
    expect(asked(world.registry)).toEqual([1, 1]);
  });

  test('a registry that does not do HEAD: one GET', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    world.registry.fault({ method: 'HEAD' }, instead(status(405)));
    expect((await world.mirror.get(PATH)).body).toEqual(Buffer.from(image.bytes));
    expect(asked(world.registry)[1]).toBe(1);
  });

  test('a registry that does not tell digests: the digest is computed', async () => {
    await using world = await start({}, { digestHeader: false });
    const image = world.registry.putImage('acme/app', 'latest');
    expect((await world.mirror.get(PATH)).headers['docker-content-digest']).toBe(image.digest);
  });
});

describe('a tag that moves', () => {
  test('is swapped once the new manifest is here, and the old digest stays in its history', async () => {
    await using world = await start();
    const old = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    const moved = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    world.mirror.clock.advance(TTL);
    expect((await world.mirror.get(PATH)).headers['docker-content-digest']).toBe(moved.digest);
    const key = { registry: 'registry.test', repository: parseRepositoryName('acme/app') };
    const history = await world.mirror.index.tagHistory(key, parseTag('latest'));
    expect(history.map(({ digest }) => digest)).toEqual([moved.digest, old.digest]);
    expect(world.mirror.events).toContainEqual(
      expect.objectContaining({ kind: 'tag-moved', from: old.digest, to: moved.digest }),
    );
  });

  test('stays where it is while the new manifest cannot be had', async () => {
    await using world = await start();
    const old = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    const moved = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    const end = world.registry.fault({ method: 'GET', reference: moved.digest }, instead(status(500)));
    world.mirror.clock.advance(TTL);
    const answer = await world.mirror.get(PATH);
    expect(answer.headers['docker-content-digest']).toBe(old.digest);
    expect(answer.headers.warning).toContain(
      '299 - "served from the cache without confirmation: registry.test: ',
    );
    end();
    expect((await world.mirror.get(PATH)).headers['docker-content-digest']).toBe(moved.digest);
  });
});

describe('when upstream cannot confirm a tag', () => {
  test.each([
    ['resets connections', undefined],
    ['answers 500', status(500)],
    ['answers 503 HTML', status(503, { body: '<html>', headers: { 'content-type': 'text/html' } })],
    ['answers 429', registryError(429, 'TOOMANYREQUESTS')],
  ])('it %s: the cached one is served, with a warning, and the check is not believed', async (_, reply) => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.mirror.clock.advance(TTL + 500);
    if (reply === undefined) world.registry.down();
    else world.registry.fault({}, instead(reply));
    const answer = await world.mirror.get(PATH);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(Buffer.from(image.bytes));
    expect(answer.headers['cache-status']).toMatch(/^larder; fwd=stale; ttl=-1; detail=/);
    expect(answer.headers.warning).toMatch(/^299 - "/);
    expect(world.mirror.served.at(-1)?.outcome).toBe('stale');
  });

  test('it does not answer: the deadline decides, and the check goes on behind the client', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    const moved = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    world.mirror.clock.advance(TTL);
    const stalled = neverRespond();
    world.registry.fault({ method: 'HEAD', times: 1 }, stalled);
    const pending = world.mirror.get(PATH);
    await stalled.reached;
    world.mirror.clock.advance(2_000);
    expect((await pending).headers['docker-content-digest']).toBe(image.digest);
    // The deadline counts from when the check began: the next one does not wait again.
    expect((await world.mirror.get(PATH)).headers['docker-content-digest']).toBe(image.digest);
    stalled.release();
    await expect
      .poll(async () => (await world.mirror.get(PATH)).headers['docker-content-digest'])
      .toBe(moved.digest);
    expect(world.registry.count({ method: 'HEAD' })).toBe(2);
  });

  test('beyond staleFor nothing is served', async () => {
    await using world = await start({ staleForMs: MINUTE });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.mirror.clock.advance(TTL + MINUTE);
    world.registry.down();
    expect((await world.mirror.get(PATH)).status).toBe(502);
    world.registry.up();
    expect((await world.mirror.get(PATH)).status).toBe(200);
  });

  test('nothing is cached: 502, and not a 404', async () => {
    await using world = await start();
    world.registry.down();
    const answer = await world.mirror.get(PATH);
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      errors: [{ code: 'UNAVAILABLE', message: expect.stringMatching(/^registry\.test: /) as string }],
    });
  });
});

describe('when upstream says that a tag is gone', () => {
  test('drop: 404, and the tag is forgotten', async () => {
    await using world = await start({ onDeleted: 'drop' });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.registry.deleteTag('acme/app', 'latest');
    world.mirror.clock.advance(TTL);
    expect((await world.mirror.get(PATH)).status).toBe(404);
    world.mirror.clock.advance(30_000);
    world.registry.down();
    expect((await world.mirror.get(PATH)).status).toBe(502);
  });

  test('keep: it is served on, with a warning, at any age', async () => {
    await using world = await start({ onDeleted: 'keep', staleForMs: MINUTE });
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.registry.deleteTag('acme/app', 'latest');
    world.mirror.clock.advance(TTL + 2 * MINUTE);
    const answer = await world.mirror.get(PATH);
    expect(answer.headers['docker-content-digest']).toBe(image.digest);
    expect(answer.headers.warning).toBeDefined();
  });

  test('a refused credential does not cost the cache its tags', async () => {
    await using world = await start({ onDeleted: 'drop' });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.mirror.clock.advance(TTL);
    const end = world.registry.fault({ kind: 'manifest' }, instead(registryError(403, 'DENIED')));
    expect((await world.mirror.get(PATH)).status).toBe(404);
    end();
    world.mirror.clock.advance(30_000);
    world.registry.down();
    expect((await world.mirror.get(PATH)).status).toBe(200);
  });

  test('an absent tag is asked for once in negativeTtl', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    const missing = '/v2/acme/app/manifests/missing';
    for (let i = 0; i < 5; i += 1) expect((await world.mirror.get(missing)).status).toBe(404);
    // By HEAD, and since that proves nothing, by GET.
    expect(world.registry.count({ reference: 'missing' })).toBe(2);
    world.registry.putImage('acme/app', 'missing');
    world.mirror.clock.advance(30_000);
    expect((await world.mirror.get(missing)).status).toBe(200);
  });
});

describe('when upstream refuses the configured account', () => {
  const ACCOUNT = { username: 'larder', password: 'right' };
  const BASIC = { kind: 'basic', ...ACCOUNT } as const;
  const BEARER = { kind: 'bearer', account: ACCOUNT, expiresIn: 60 } as const;

  async function startWithAccount(
    auth: FakeRegistryOptions['auth'],
    tags: Partial<TagPolicy> = {},
  ): Promise<Awaited<ReturnType<typeof start>> & { setPassword(password: string): void }> {
    let { password } = ACCOUNT;
    const credentials: CredentialSource = {
      get: () => Promise.resolve({ kind: 'password', username: ACCOUNT.username, password }),
      invalidate() {},
    };
    const world = await start(tags, auth === undefined ? {} : { auth }, { credentials });
    world.registry.putImage('acme/app', 'latest');
    return { ...world, setPassword: (changed) => (password = changed) };
  }

  test.each([BASIC, BEARER])('a tag that is cached is served on: $kind', async (auth) => {
    await using world = await startWithAccount(auth);
    await world.mirror.get(PATH);
    world.setPassword('expired');
    world.mirror.clock.advance(TTL);
    for (const answer of [await world.mirror.get(PATH), await world.mirror.head(PATH)]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.warning).toContain('the configured account is refused');
      expect(answer.headers['cache-status']).toContain('detail=account-refused');
    }
    world.mirror.clock.advance(TTL);
    world.setPassword('right');
    expect((await world.mirror.get(PATH)).headers.warning).toBeUndefined();
  });

  test.each([BASIC, BEARER])('what is not cached is 403 with the reason: $kind', async (auth) => {
    await using world = await startWithAccount(auth);
    world.setPassword('expired');
    const answer = await world.mirror.get(PATH);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      errors: [
        { code: 'DENIED', message: expect.stringContaining('the configured account is refused') as string },
      ],
    });
    expect((await world.mirror.head(PATH)).status).toBe(403);
  });

  test('/readyz names it, and the log once at each change', async () => {
    await using world = await startWithAccount(BASIC);
    const detail = async (): Promise<unknown> =>
      JSON.parse((await world.mirror.get('/readyz')).body.toString());
    world.setPassword('expired');
    await world.mirror.head(PATH);
    await world.mirror.head('/v2/acme/app/manifests/other');
    expect(await detail()).toMatchObject({
      upstreams: {
        'registry.test': {
          credentials: 'refused',
          reason: 'registry.test: answered 401 to the configured account',
        },
      },
    });
    world.setPassword('right');
    world.mirror.clock.advance(MINUTE);
    await world.mirror.head(PATH);
    expect(await detail()).toMatchObject({ upstreams: {} });
    const told = world.mirror.events.flatMap((event) =>
      event.kind === 'account-changed' ? [event.state] : [],
    );
    expect(told).toEqual(['refused', 'accepted']);
  });

  test('or its token: the tag is served on, too', async () => {
    await using world = await startWithAccount(BEARER);
    await world.mirror.get(PATH);
    world.mirror.clock.advance(TTL);
    const challenge = `Bearer realm="${world.registry.url.origin}/token",service="fake"`;
    world.registry.fault({ kind: 'manifest' }, instead(challenged(challenge)));
    const answer = await world.mirror.get(PATH);
    expect([answer.status, answer.headers['cache-status']]).toEqual([
      200,
      expect.stringContaining('detail=token-refused'),
    ]);
  });

  test('a token that grants too little is about the repository: the policy decides', async () => {
    await using world = await startWithAccount(BEARER);
    await world.mirror.get(PATH);
    world.mirror.clock.advance(TTL);
    const challenge = `Bearer realm="${world.registry.url.origin}/token",error="insufficient_scope"`;
    world.registry.fault({ kind: 'manifest' }, instead(challenged(challenge)));
    expect((await world.mirror.get(PATH)).status).toBe(404);
  });

  test('beyond staleFor nothing is served', async () => {
    await using world = await startWithAccount(BASIC, { staleForMs: MINUTE });
    await world.mirror.get(PATH);
    world.setPassword('expired');
    world.mirror.clock.advance(TTL + 2 * MINUTE);
    expect((await world.mirror.get(PATH)).status).toBe(403);
  });

  test('the tag list is what is cached', async () => {
    await using world = await startWithAccount(BASIC);
    await world.mirror.get(PATH);
    world.setPassword('expired');
    const answer = await world.mirror.get('/v2/acme/app/tags/list');
    expect(JSON.parse(answer.body.toString())).toEqual({ name: 'acme/app', tags: ['latest'] });
    expect(answer.headers.warning).toContain('the configured account is refused');
  });
});

describe('an index asked for by a client of single images', () => {
  const single = { headers: { accept: [MediaType.dockerManifest, MediaType.ociManifest] } };

  async function withIndex(world: { registry: FakeRegistry }): Promise<{ index: string; amd64: string }> {
    const amd64 = world.registry.putImage('acme/app', undefined);
    const arm64 = world.registry.putImage('acme/app', undefined, { config: { architecture: 'arm64' } });
    const index = world.registry.putIndex('acme/app', 'latest', [
      { ...arm64.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
      { ...amd64.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    return { index: index.digest, amd64: amd64.digest };
  }

  test('by tag it gets the linux/amd64 child, by GET and by HEAD', async () => {
    await using world = await start();
    const { amd64 } = await withIndex(world);
    for (const method of ['HEAD', 'GET']) {
      const answer = await world.mirror.get(PATH, { ...single, method });
      expect(answer.headers['docker-content-digest']).toBe(amd64);
      expect(answer.headers['content-type']).toBe(MediaType.ociManifest);
    }
  });

  test('says that Accept has chosen, by tag and with whatever is answered; not so by digest', async () => {
    await using world = await start();
    const { index } = await withIndex(world);
    const known = { headers: { 'if-none-match': `"${index}"` } };
    // The second time they come from memory.
    for (const asked of [{}, single, known, {}, single, known, { method: 'HEAD' }]) {
      expect((await world.mirror.get(PATH, asked)).headers.vary).toBe('Accept');
    }
    const byDigest = await world.mirror.get(`/v2/acme/app/manifests/${index}`, single);
    expect(byDigest.headers.vary).toBeUndefined();
  });

  test('a single image is the same to all: nothing varies', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    for (const _ of [1, 2]) expect((await world.mirror.get(PATH)).headers.vary).toBeUndefined();
  });

  test('the tag still stands for the index', async () => {
    await using world = await start();
    const { index } = await withIndex(world);
    await world.mirror.get(PATH, single);
    expect((await world.mirror.get(PATH)).headers['docker-content-digest']).toBe(index);
  });

  test('by digest it gets what it asked for', async () => {
    await using world = await start();
    const { index } = await withIndex(world);
    const answer = await world.mirror.get(`/v2/acme/app/manifests/${index}`, single);
    expect(answer.headers['docker-content-digest']).toBe(index);
  });

  test('an index without a linux/amd64 image is 404', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', undefined);
    world.registry.putIndex('acme/app', 'latest', [
      { ...image.descriptor, platform: { os: 'linux', architecture: 's390x' } },
    ]);
    const { status, headers } = await world.mirror.get(PATH, single);
    expect([status, headers.vary]).toEqual([404, 'Accept']);
  });
});

test('upstream sends HTML with 200: nothing is cached, and it is no 404', async () => {
  await using world = await start();
  world.registry.putImage('acme/app', 'latest');
  const html = {
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: Buffer.from('<html>sign in</html>'),
  };
  const end = world.registry.fault({ kind: 'manifest' }, instead(html));
  expect((await world.mirror.get(PATH)).status).toBe(502);
  expect(await world.mirror.files('blobs/sha256')).toEqual([]);
  end();
  expect((await world.mirror.get(PATH)).status).toBe(200);
});

test('upstream sends another manifest for a digest than that: nothing of it is cached', async () => {
  await using world = await start();
  const image = world.registry.putImage('acme/app', 'latest');
  const other = world.registry.putImage('acme/app', undefined, { layers: [Buffer.from('other')] });
  const headers = { 'content-type': other.mediaType };
  const end = world.registry.fault(
    { kind: 'manifest', method: 'GET' },
    instead({
      status: 200,
      headers: { ...headers, 'docker-content-digest': image.digest },
      body: other.bytes,
    }),
  );
  expect((await world.mirror.get(PATH)).status).toBe(502);
  expect(await world.mirror.files('blobs/sha256')).toEqual([]);
  end();
  expect((await world.mirror.get(PATH)).status).toBe(200);
});

/** Those that `/readyz` says do not confirm tags in time. */
async function slowUpstreams({ mirror }: { readonly mirror: MirrorFixture }): Promise<string[]> {
  const { upstreams } = JSON.parse((await mirror.get('/readyz')).body.toString()) as {
    upstreams: Record<string, { tags?: string }>;
  };
  return Object.keys(upstreams).filter((name) => upstreams[name]?.tags !== undefined);
}

describe('a slow upstream', () => {
  test('costs one client the deadline; who comes after it does not wait, for any tag, until upstream answers', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    world.registry.putImage('acme/app', 'other');
    const other = '/v2/acme/app/manifests/other';
    await world.mirror.get(PATH);
    await world.mirror.get(other);
    world.mirror.clock.advance(TTL);
    const stalled = neverRespond();
    const end = world.registry.fault({ method: 'HEAD' }, stalled);
    const pending = world.mirror.get(PATH);
    await stalled.reached;
    world.mirror.clock.advance(2_000);
    expect((await pending).headers.warning).toContain('did not confirm the tag within 2000 ms');
    expect((await world.mirror.get(other)).headers.warning).toBeDefined();
    expect(await slowUpstreams(world)).toEqual(['registry.test']);
    end();
    stalled.release();
    await expect.poll(async () => (await world.mirror.get(other)).headers.warning).toBeUndefined();
    await expect.poll(async () => (await world.mirror.get(PATH)).headers.warning).toBeUndefined();
    expect(await slowUpstreams(world)).toEqual([]);
  });

  test('is given its time again later: who comes when all is well gets the tag as it is now', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.mirror.clock.advance(TTL);
    const stalled = neverRespond();
    const end = world.registry.fault({ method: 'HEAD' }, stalled);
    const pending = world.mirror.get(PATH);
    await stalled.reached;
    world.mirror.clock.advance(2_000);
    expect((await pending).headers.warning).toBeDefined();
    end();
    world.mirror.clock.advance(60_000);
    const moved = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    const answer = await world.mirror.get(PATH);
    expect([answer.headers['docker-content-digest'], answer.headers.warning]).toEqual([
      moved.digest,
      undefined,
    ]);
  });
});

describe('when few pulls are left', () => {
  const HUB = 'registry-1.docker.io';
  const startHub = (tags: Partial<TagPolicy>): ReturnType<typeof start> =>
    start(tags, { host: HUB }, {}, new FakeNetwork().name(HUB, '8.8.8.8'));

  const few = withHeaders({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '10;w=21600' });

  test('a tag that has moved is served as it was, and one that has not is confirmed', async () => {
    await using world = await startHub({ quotaReserve: 10 });
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.registry.fault({ kind: 'manifest' }, few);
    world.mirror.clock.advance(TTL);
    expect((await world.mirror.get(PATH)).headers.warning).toBeUndefined();
    world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    world.mirror.clock.advance(TTL);
    const answer = await world.mirror.get(PATH);
    expect(answer.headers['docker-content-digest']).toBe(image.digest);
    expect(answer.headers.warning).toContain('only 10 pulls are left');
    expect(asked(world.registry)).toEqual([3, 1]);
  });

  test('what is not cached is pulled all the same', async () => {
    await using world = await startHub({ quotaReserve: 10 });
    const image = world.registry.putImage('acme/app', 'latest');
    world.registry.fault({ kind: 'manifest' }, few);
    expect((await world.mirror.get(PATH)).headers['docker-content-digest']).toBe(image.digest);
  });

  test('what is not cached is not pulled for work that no client waits for', async () => {
    await using world = await startHub({ quotaReserve: 10 });
    world.registry.putImage('acme/app', 'latest');
    world.registry.fault({ kind: 'manifest' }, few);
    const repository = world.mirror.repository({ registry: 'registry.test', repository: repo('acme/app') });
    const asking = { isAnew: false, sparesQuota: true };
    await repository.resolve(tagged('latest'), asking);
    const before = world.registry.requests.length;
    await expect(repository.resolve(tagged('latest'), asking)).rejects.toMatchObject({
      reason: 'quota-reserve',
      message: expect.stringContaining('not pulled, since only 10 pulls are left') as string,
    });
    expect(world.registry.requests.length).toBe(before);
    await repository.resolve(tagged('latest'), { isAnew: false });
  });

  test('with some to spare the tag moves', async () => {
    await using world = await startHub({ quotaReserve: 9 });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.registry.fault({ kind: 'manifest' }, few);
    const moved = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    world.mirror.clock.advance(TTL);
    expect((await world.mirror.get(PATH)).headers['docker-content-digest']).toBe(moved.digest);
  });

  test.each([
    ['of another registry', start, few],
    [
      'over a minute',
      startHub,
      withHeaders({ 'ratelimit-limit': '100;w=60', 'ratelimit-remaining': '7;w=60' }),
    ],
    ['without a window', startHub, withHeaders({ 'ratelimit-limit': '100', 'ratelimit-remaining': '7' })],
  ])('a limit %s is none of pulls: the tag moves', async (_name, startWith, limits) => {
    await using world = await startWith({ quotaReserve: 10 });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    world.registry.fault({ kind: 'manifest' }, limits);
    const moved = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    for (let i = 0; i < 2; i += 1) {
      world.mirror.clock.advance(TTL);
      expect((await world.mirror.get(PATH)).headers['docker-content-digest']).toBe(moved.digest);
    }
  });
});
