import { expect, test } from 'vitest';
import { challenged, json, registryError, status } from '../../support/scripted-reply.ts';
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const PATH = '/v2/_catalog';

const start = (): Promise<UpstreamFixture> => startUpstreamFixture('registry.example.com', []);

test('it is read by pages, each by the link of the one before', async () => {
  await using registry = await start();
  const link = `<${PATH}?last=b&n=2>; rel="next"`;
  registry
    .on('GET', PATH)
    .once()
    .reply(json({ repositories: ['a', 'docker.io/b'] }, { headers: { link } }));
  const { repositories, next } = await registry.upstream.catalog();
  expect(repositories).toEqual(['a', 'docker.io/b']);
  registry.on('GET', PATH).reply(json({ repositories: null }));
  expect(await registry.upstream.catalog({ next })).toEqual({ repositories: [], next: undefined });
  expect(registry.script.hits.map(({ query }) => query.toString())).toEqual(['n=100', 'last=b&n=2']);
});

test('it is asked with a token for the scope that the challenge names, and for no repository', async () => {
  await using registry = await start();
  const realm = registry.url('registry.example.com', '/token');
  const scope = 'registry:catalog:*';
  registry
    .on('GET', PATH)
    .once()
    .reply(challenged(`Bearer realm="${realm}",service="r",scope="${scope}"`));
  registry.on('GET', '/token').reply(json({ token: 't' }));
  registry.on('GET', PATH).reply(json({ repositories: ['a'] }));
  expect((await registry.upstream.catalog()).repositories).toEqual(['a']);
  expect(registry.script.hits[1]?.query.getAll('scope')).toEqual([scope]);
});

test('names that might harm a terminal are left out', async () => {
  await using registry = await start();
  const repositories = ['a\u001b[31m', 'localhost:5000/b', 7, '', 'c d'];
  registry.on('GET', PATH).reply(json({ repositories }));
  expect((await registry.upstream.catalog()).repositories).toEqual(['localhost:5000/b']);
});

test.each([
  ['a registry without one', registryError(404, 'UNSUPPORTED'), 'GET _catalog'],
  ['a page for people', status(200, { body: '<html>' }), 'sent something else than a list of repositories'],
  ['an object of another kind', json({ tags: [] }), 'sent something else than a list of repositories'],
])('%s is an error', async (_, reply, message) => {
  await using registry = await start();
  registry.on('GET', PATH).reply(reply);
  await expect(registry.upstream.catalog()).rejects.toThrow(message);
});
