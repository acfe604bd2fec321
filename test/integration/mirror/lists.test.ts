import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { parseRepositoryName } from '../../../src/oci/repository-name.ts';
import { parseTag } from '../../../src/oci/tag.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { MINUTE, startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import {
  instead,
  json,
  registryError,
  status,
  withHeaders,
  type Fault,
} from '../../support/scripted-reply.ts';

interface Page {
  readonly name: string;
  readonly tags: string[];
}

function parse(body: Buffer): unknown {
  return JSON.parse(body.toString());
}

function tagsOf(body: Buffer): string[] {
  return (parse(body) as Page).tags;
}

function digestsOf(body: Buffer): string[] {
  return (parse(body) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest);
}

/** Follows Link as a client does: relative to where it asked. */
async function readPages(mirror: MirrorFixture, first: string): Promise<{ tags: string[]; pages: number }> {
  const tags: string[] = [];
  let pages = 0;
  let path: string | undefined = first;
  while (path !== undefined) {
    const answer = await mirror.get(path);
    expect(answer.status).toBe(200);
    tags.push(...tagsOf(answer.body));
    pages += 1;
    path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers['link'] ?? ''))?.[1];
  }
  return { tags, pages };
}

describe('tags/list', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `v${i}`).sort();

  test('2,000 tags through pages, of upstream and of ours, each tag once and in order', async () => {
    await using registry = await startFakeRegistry({ pageSize: 100 });
    await using mirror = await startMirror({
      upstreams: [{ name: 'docker.io', registry, addLibrary: true }],
    });
    const image = registry.putImage('library/debian', undefined);
    for (const name of names) registry.tag('library/debian', name, image.digest);
    expect(await readPages(mirror, '/v2/debian/tags/list')).toEqual({ tags: names, pages: 2 });
    expect(await readPages(mirror, '/v2/debian/tags/list?n=300')).toEqual({ tags: names, pages: 7 });
    expect(registry.count({ kind: 'tags' })).toBe(20);
  });

  test('n and last: exclusive, need not exist; n=0 is an empty page without a link', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', undefined);
    for (const tag of ['a', 'b', 'd', 'e']) registry.tag('acme/app', tag, image.digest);
    const list = async (query: string): Promise<[string[], string | undefined]> => {
      const answer = await mirror.get(`/v2/acme/app/tags/list?${query}`);
      return [tagsOf(answer.body), answer.headers['link'] as string | undefined];
    };
    expect(await list('n=2')).toEqual([['a', 'b'], '</v2/acme/app/tags/list?n=2&last=b>; rel="next"']);
    expect(await list('n=2&last=b')).toEqual([['d', 'e'], undefined]);
    expect(await list('n=1&last=c')).toEqual([['d'], '</v2/acme/app/tags/list?n=1&last=d>; rel="next"']);
    expect(await list('n=0')).toEqual([[], undefined]);
    expect(await list('n=&last=')).toEqual([['a', 'b', 'd', 'e'], undefined]);
    expect(await list('last=z')).toEqual([[], undefined]);
  });

  test('the link keeps ns, and the path as it was asked', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'a');
    registry.tag('acme/app', 'b', image.digest);
    const byNs = await mirror.get('/v2/acme/app/tags/list?ns=registry.test&n=1');
    expect(byNs.headers['link']).toBe('</v2/acme/app/tags/list?ns=registry.test&n=1&last=a>; rel="next"');
    const byPrefix = await mirror.get('/registry.test/v2/acme/app/tags/list?n=1');
    expect(byPrefix.headers['link']).toBe('</registry.test/v2/acme/app/tags/list?n=1&last=a>; rel="next"');
    const named = await mirror.get('/v2/registry.test/acme/app/tags/list?n=1');
    expect(parse(named.body)).toMatchObject({ name: 'registry.test/acme/app' });
  });

  test('within the time to live upstream is not asked again; after it, it is', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.putImage('acme/app', 'a');
    await mirror.get('/v2/acme/app/tags/list');
    expect((await mirror.get('/v2/acme/app/tags/list')).headers['cache-status']).toBe('larder; hit');
    expect(registry.count({ kind: 'tags' })).toBe(1);
    mirror.clock.advance(5 * MINUTE);
    await mirror.get('/v2/acme/app/tags/list');
    expect(registry.count({ kind: 'tags' })).toBe(2);
  });

  test('upstream down: the last list known, with a warning', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.putImage('acme/app', 'a');
    await mirror.get('/v2/acme/app/tags/list');
    mirror.clock.advance(5 * MINUTE);
    registry.down();
    const answer = await mirror.get('/v2/acme/app/tags/list');
    expect(tagsOf(answer.body)).toEqual(['a']);
    expect(answer.headers.warning).toContain('the last list known');
  });

  test('upstream down and no list known: the tags that are cached', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.putImage('acme/app', 'cached');
    registry.putImage('acme/app', 'other');
    await mirror.get('/v2/acme/app/manifests/cached');
    registry.down();
    const answer = await mirror.get('/v2/acme/app/tags/list');
    expect(tagsOf(answer.body)).toEqual(['cached']);
    expect(answer.headers.warning).toContain('only the tags that are cached');
    expect((await mirror.get('/v2/acme/unknown/tags/list')).status).toBe(502);
  });

  test.each<[string, Fault]>([
    ['a next link without a query', withHeaders({ link: '</v2/acme/app/tags/list>; rel="next"' })],
    ['a next link that is not closed', withHeaders({ link: '</v2/a?last=b; rel="next"' })],
    ['a next link of 20 KiB', withHeaders({ link: `</v2/a?last=${'b'.repeat(20_000)}>; rel="next"` })],
    ['an error document', instead(json({ errors: [{ code: 'UNAVAILABLE' }] }))],
    ['an empty document', instead(json({}))],
    ['tags that are no list', instead(json({ name: 'acme/app', tags: {} }))],
    ['a list of something else', instead(json([]))],
  ])('upstream sends %s: the last list known, or 502', async (_, fault) => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.putImage('acme/app', 'a');
    registry.putImage('acme/other', 'a');
    await mirror.get('/v2/acme/app/tags/list');
    registry.tag('acme/app', 'b', registry.putImage('acme/app', undefined).digest);
    mirror.clock.advance(5 * MINUTE);
    const end = registry.fault({ kind: 'tags' }, fault);
    const known = await mirror.get('/v2/acme/app/tags/list');
    expect([known.status, tagsOf(known.body)]).toEqual([200, ['a']]);
    expect(known.headers.warning).toContain('the last list known');
    expect((await mirror.get('/v2/acme/other/tags/list')).status).toBe(502);
    end();
    mirror.clock.advance(5 * MINUTE);
    expect(tagsOf((await mirror.get('/v2/acme/app/tags/list')).body)).toEqual(['a', 'b']);
  });

  test('no tags, as Go writes them: an empty list', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.fault({ kind: 'tags' }, instead(json({ name: 'acme/app', tags: null })));
    const answer = await mirror.get('/v2/acme/app/tags/list');
    expect([answer.status, tagsOf(answer.body), answer.headers.warning]).toEqual([200, [], undefined]);
  });

  test.each([
    ['a blank before a comma', (url: string) => `</v2/>; rel="first" , <${url}>; rel="next"`],
    ['no brackets', (url: string) => `${url}; rel="next"`],
    ['no relation', (url: string) => `<${url}>`],
    ['single quotes', (url: string) => `<${url}>; rel='next'`],
    ['an opaque token of 5 KiB', (url: string) => `<${url}&token=${'x'.repeat(5_000)}>; rel="next"`],
  ])('a next link with %s is followed', async (_, format) => {
    await using registry = await startFakeRegistry({ pageSize: 1 });
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    for (const tag of ['a', 'b', 'c']) registry.putImage('acme/app', tag);
    registry.fault({ kind: 'tags' }, (reply) => {
      const url = /<([^>]*)>/.exec(String(reply.headers['link'] ?? ''))?.[1];
      return url === undefined ? reply : { ...reply, headers: { ...reply.headers, link: format(url) } };
    });
    expect(tagsOf((await mirror.get('/v2/acme/app/tags/list')).body)).toEqual(['a', 'b', 'c']);
  });

  test('an unknown repository is 404 NAME_UNKNOWN', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const answer = await mirror.get('/v2/acme/none/tags/list');
    expect(answer.status).toBe(404);
    expect(parse(answer.body)).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] });
  });
});

describe('_catalog', () => {
  test('what is cached, by names that can be pulled from here, in pages', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({
      upstreams: [
        { name: 'docker.io', registry, addLibrary: true },
        { name: 'ghcr.io', registry },
      ],
    });
    for (const name of ['library/debian', 'acme/app', 'acme/tool']) registry.putImage(name, 'latest');
    expect(parse((await mirror.get('/v2/_catalog')).body)).toEqual({ repositories: [] });
    await mirror.get('/v2/debian/manifests/latest');
    await mirror.get('/v2/acme/app/manifests/latest?ns=ghcr.io');
    await mirror.get('/v2/ghcr.io/acme/tool/manifests/latest');
    const first = await mirror.get('/v2/_catalog?n=2');
    expect(parse(first.body)).toEqual({ repositories: ['docker.io/library/debian', 'ghcr.io/acme/app'] });
    expect(first.headers['link']).toBe('</v2/_catalog?n=2&last=ghcr.io%2Facme%2Fapp>; rel="next"');
    const second = await mirror.get('/v2/_catalog?n=2&last=ghcr.io%2Facme%2Fapp');
    expect(parse(second.body)).toEqual({ repositories: ['ghcr.io/acme/tool'] });
    expect(second.headers['link']).toBeUndefined();
    const requests = registry.requests.length;
    expect((await mirror.get('/v2/docker.io/library/debian/manifests/latest')).status).toBe(200);
    expect(registry.requests.length).toBe(requests);
  });
});

describe('_catalog and what is forbidden', () => {
  const isAllowed = (name: string): boolean => !name.startsWith('secret/');

  test('what was cached before it was denied, or of an upstream that is configured no more, is not shown', async () => {
    await using registry = await startFakeRegistry();
    const directory = await mkdtemp(join(tmpdir(), 'larder-test-'));
    for (const name of ['acme/app', 'secret/a', 'secret/b', 'zebra/app']) registry.putImage(name, 'latest');
    const former = [
      { name: 'registry.test', registry },
      { name: 'former.test', registry },
    ];
    {
      await using before = await startMirror({ directory, upstreams: former });
      for (const name of ['acme/app', 'secret/a', 'secret/b', 'zebra/app']) {
        await before.get(`/v2/${name}/manifests/latest`);
        await before.get(`/v2/${name}/manifests/latest?ns=former.test`);
      }
    }
    await using mirror = await startMirror({
      directory,
      upstreams: [{ name: 'registry.test', registry, isAllowed }],
    });
    expect(parse((await mirror.get('/v2/_catalog')).body)).toEqual({
      repositories: ['registry.test/acme/app', 'registry.test/zebra/app'],
    });
    const first = await mirror.get('/v2/_catalog?n=1');
    expect(parse(first.body)).toEqual({ repositories: ['registry.test/acme/app'] });
    const next = '/v2/_catalog?n=1&last=registry.test%2Facme%2Fapp';
    expect(first.headers['link']).toBe(`<${next}>; rel="next"`);
    const second = await mirror.get(next);
    expect(parse(second.body)).toEqual({ repositories: ['registry.test/zebra/app'] });
    expect(second.headers['link']).toBeUndefined();
    await rm(directory, { recursive: true });
  });

  test('so many of them in a row: the page and its link are those of a cache without them', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry, isAllowed }] });
    const upstream = 'registry.test';
    const entry = { digest: digestOf('x'), checkedAt: 0 };
    const put = (name: string): Promise<void> =>
      mirror.index.putTag(
        { registry: upstream, repository: parseRepositoryName(name) },
        parseTag('1'),
        entry,
      );
    for (let n = 0; n < 2_100; n += 1) await put(`secret/r${n}`);
    await put('zebra/app');
    const first = await mirror.get('/v2/_catalog?n=1');
    expect(parse(first.body)).toEqual({ repositories: ['registry.test/zebra/app'] });
    expect(first.headers['link']).toBeUndefined();
  });
});

describe('referrers', () => {
  const SBOM = 'application/spdx+json';

  for (const referrers of [true, false]) {
    const how = referrers ? 'by its API' : 'by the tag schema';

    test(`upstream tells them ${how}`, async () => {
      await using registry = await startFakeRegistry({ referrers });
      await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
      const image = registry.putImage('acme/app', 'latest');
      const sbom = registry.putImage('acme/app', undefined, {
        subject: image.descriptor,
        artifactType: SBOM,
        layers: [Buffer.from('sbom')],
      });
      const signature = registry.putImage('acme/app', undefined, {
        subject: image.descriptor,
        artifactType: 'application/signature',
      });
      if (!referrers) {
        registry.putIndex('acme/app', image.digest.replace(':', '-'), [
          { ...sbom.descriptor, artifactType: SBOM },
          { ...signature.descriptor, artifactType: 'application/signature' },
        ]);
      }
      const answer = await mirror.get(`/v2/acme/app/referrers/${image.digest}`);
      expect(answer.headers['content-type']).toBe(MediaType.ociIndex);
      expect(new Set(digestsOf(answer.body))).toEqual(new Set([sbom.digest, signature.digest]));
      const filtered = await mirror.get(
        `/v2/acme/app/referrers/${image.digest}?artifactType=${encodeURIComponent(SBOM)}`,
      );
      expect(filtered.headers['oci-filters-applied']).toBe('artifactType');
      const unencoded = await mirror.get(`/v2/acme/app/referrers/${image.digest}?artifactType=${SBOM}`);
      expect(digestsOf(unencoded.body)).toEqual([sbom.digest]);
      const empty = await mirror.get(`/v2/acme/app/referrers/${image.digest}?artifactType=`);
      expect(digestsOf(empty.body)).toHaveLength(2);
      expect(empty.headers['oci-filters-applied']).toBeUndefined();
      expect(parse(filtered.body)).toMatchObject({
        schemaVersion: 2,
        mediaType: MediaType.ociIndex,
        manifests: [{ digest: sbom.digest, artifactType: SBOM }],
      });
    });
  }

  test('none, or an unknown subject: an empty index', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.putImage('acme/app', 'latest');
    const answer = await mirror.get(`/v2/acme/app/referrers/${digestOf('nobody')}`);
    expect(answer.status).toBe(200);
    expect(parse(answer.body)).toEqual({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] });
  });

  test('one pushed a moment later is found after negativeTtl', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const path = `/v2/acme/app/referrers/${image.digest}`;
    await mirror.get(path);
    registry.putImage('acme/app', undefined, { subject: image.descriptor, artifactType: SBOM });
    mirror.clock.advance(30_000);
    expect(digestsOf((await mirror.get(path)).body)).toHaveLength(1);
  });

  test('upstream down: those whose manifests are cached', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const sbom = registry.putImage('acme/app', 'sbom', { subject: image.descriptor, artifactType: SBOM });
    await mirror.get('/v2/acme/app/manifests/sbom');
    registry.down();
    const answer = await mirror.get(`/v2/acme/app/referrers/${image.digest}`);
    expect(parse(answer.body)).toMatchObject({ manifests: [{ digest: sbom.digest, artifactType: SBOM }] });
    expect(answer.headers.warning).toBeDefined();
  });

  test('upstream refuses in no words of its own: those of the tag schema, where that tag is cached', async () => {
    await using registry = await startFakeRegistry({ referrers: false });
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const sbom = { ...registry.putImage('acme/app', undefined).descriptor, artifactType: SBOM };
    const tag = image.digest.replace(':', '-');
    registry.putIndex('acme/app', tag, [sbom]);
    await mirror.get(`/v2/acme/app/manifests/${tag}`);
    registry.fault({}, instead(status(403, { body: '<html>Blocked</html>' })));
    const answer = await mirror.get(`/v2/acme/app/referrers/${image.digest}`);
    expect(parse(answer.body)).toMatchObject({ manifests: [{ digest: sbom.digest, artifactType: SBOM }] });
    expect(answer.headers.warning).toContain('only the referrers that are cached');
  });

  test('a tag of the tag schema that is no list: as if it were not cached', async () => {
    await using registry = await startFakeRegistry({ referrers: false });
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const tag = image.digest.replace(':', '-');
    registry.tag('acme/app', tag, image.digest);
    await mirror.get(`/v2/acme/app/manifests/${tag}`);
    registry.down();
    expect((await mirror.get(`/v2/acme/app/referrers/${image.digest}`)).status).toBe(502);
  });

  test.each([
    ['404 of whatever stands before it', status(404, { body: 'default backend - 404' })],
    ['a page for people', status(200, { headers: { 'content-type': 'text/html' }, body: '<html>' })],
    ['405', status(405)],
  ])('%s, of an API that has answered before: the list known, and no empty one', async (_, reply) => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const sbom = registry.putImage('acme/app', undefined, { subject: image.descriptor, artifactType: SBOM });
    const path = `/v2/acme/app/referrers/${image.digest}`;
    await mirror.get(path);
    mirror.clock.advance(30_000);
    const end = registry.fault({ kind: 'referrers' }, instead(reply));
    const known = await mirror.get(path);
    expect(digestsOf(known.body)).toEqual([sbom.digest]);
    expect(known.headers.warning).toContain('the last list known');
    end();
    expect((await mirror.get(path)).headers.warning).toBeUndefined();
  });

  test('an API that has gone for good counts as gone after a day', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const path = `/v2/acme/app/referrers/${image.digest}`;
    await mirror.get(path);
    registry.fault({ kind: 'referrers' }, instead(status(404)));
    const sbom = registry.putImage('acme/app', undefined).descriptor;
    registry.putIndex('acme/app', image.digest.replace(':', '-'), [sbom]);
    mirror.clock.advance(24 * 60 * MINUTE + 1);
    expect(digestsOf((await mirror.get(path)).body)).toEqual([sbom.digest]);
  });

  test('an image by digest and referrers by the same digest do not share a flight', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const [manifest, referrers] = await Promise.all([
      mirror.get(`/v2/acme/app/manifests/${image.digest}`),
      mirror.get(`/v2/acme/app/referrers/${image.digest}`),
    ]);
    expect(manifest.body).toEqual(Buffer.from(image.bytes));
    expect(referrers.headers['content-type']).toBe(MediaType.ociIndex);
  });

  test.each([
    ['404 NAME_UNKNOWN', registryError(404, 'NAME_UNKNOWN')],
    ['404 MANIFEST_UNKNOWN', registryError(404, 'MANIFEST_UNKNOWN')],
    ['a page for people', status(200, { headers: { 'content-type': 'text/html' }, body: '<html>' })],
    ['404 of whatever stands before it', status(404)],
  ])('%s at one moment: what is there is found after negativeTtl', async (_, reply) => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    registry.putImage('acme/app', undefined, { subject: image.descriptor, artifactType: SBOM });
    const path = `/v2/acme/app/referrers/${image.digest}`;
    const end = registry.fault({ kind: 'referrers' }, instead(reply));
    expect(digestsOf((await mirror.get(path)).body)).toEqual([]);
    end();
    mirror.clock.advance(30_001);
    expect(digestsOf((await mirror.get(path)).body)).toHaveLength(1);
  });

  test.each([['NAME_UNKNOWN'], ['MANIFEST_UNKNOWN']])(
    '404 %s of one subject does not keep the API from being asked of another',
    async (code) => {
      await using registry = await startFakeRegistry();
      await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
      const image = registry.putImage('acme/app', 'latest');
      registry.putImage('acme/app', undefined, { subject: image.descriptor, artifactType: SBOM });
      const end = registry.fault({ kind: 'referrers' }, instead(registryError(404, code)));
      await mirror.get(`/v2/acme/app/referrers/${digestOf('another')}`);
      end();
      const answer = await mirror.get(`/v2/acme/app/referrers/${image.digest}`);
      expect(digestsOf(answer.body)).toHaveLength(1);
    },
  );

  test.each([['application/json'], ['application/json; charset=utf-8'], [undefined]])(
    'served as %s they are referrers all the same',
    async (type) => {
      await using registry = await startFakeRegistry();
      await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
      const image = registry.putImage('acme/app', 'latest');
      const sbom = registry.putImage('acme/app', undefined, {
        subject: image.descriptor,
        artifactType: SBOM,
      });
      registry.fault({ kind: 'referrers' }, withHeaders({ 'content-type': type }));
      const answer = await mirror.get(`/v2/acme/app/referrers/${image.digest}`);
      expect(digestsOf(answer.body)).toEqual([sbom.digest]);
    },
  );

  test.each<[string, Fault]>([
    ['an error document', instead(json({ errors: [{ code: 'UNAVAILABLE' }] }))],
    [
      'an error document as an index',
      instead(json({ errors: [] }, { headers: { 'content-type': MediaType.ociIndex } })),
    ],
    ['an empty document', instead(json({}))],
    ['a next link that cannot be read', withHeaders({ link: '</v2/a?x=y; rel="next"' })],
  ])('upstream sends %s: the last list known, or 502', async (_, fault) => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const sbom = registry.putImage('acme/app', undefined, { subject: image.descriptor, artifactType: SBOM });
    const path = `/v2/acme/app/referrers/${image.digest}`;
    await mirror.get(path);
    mirror.clock.advance(30_000);
    registry.fault({ kind: 'referrers' }, fault);
    const known = await mirror.get(path);
    expect(digestsOf(known.body)).toEqual([sbom.digest]);
    expect(known.headers.warning).toContain('the last list known');
    expect((await mirror.get(`/v2/acme/app/referrers/${digestOf('another')}`)).status).toBe(502);
  });

  test('upstream denies: 404 NAME_UNKNOWN; upstream fails: 502', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const path = `/v2/acme/app/referrers/${digestOf('x')}`;
    const end = registry.fault({}, instead(registryError(403, 'DENIED')));
    expect((await mirror.get(path)).status).toBe(404);
    end();
    registry.fault({}, instead(status(500)));
    expect((await mirror.get(path)).status).toBe(502);
  });
});
