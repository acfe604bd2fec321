import { expect, test } from 'vitest';
import { packTags } from '../../../src/oci/tag-names.ts';
import { credentialSource } from '../../../src/upstream/credentials/source.ts';
import { challenged, json, redirect, registryError, type Reply } from '../../support/scripted-reply.ts';
import { MANIFEST_DIGEST, manifestReply, repo, tagged } from '../../support/upstream-content.ts';
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const HARBOR = 'harbor.example.com';
const basic = `Basic ${Buffer.from('robot$ci:pw').toString('base64')}`;
const BASIC_CHALLENGE = challenged('Basic realm="harbor"');

async function startHarbor(): Promise<UpstreamFixture> {
  const registry = { name: HARBOR, url: new URL(`https://${HARBOR}`) };
  const account = { kind: 'password', username: 'robot$ci', password: 'pw' } as const;
  return startUpstreamFixture(HARBOR, [], { credentials: credentialSource(account, registry) });
}

function bearerChallenge(harbor: UpstreamFixture, repository: string): Reply {
  const realm = harbor.url(HARBOR, '/service/token');
  const scope = `repository:${repository}:pull`;
  return challenged(`Bearer realm="${realm}",service="harbor-registry",scope="${scope}"`);
}

test('a refused token is answered with Basic: the challenge for Bearer comes without Authorization', async () => {
  await using harbor = await startHarbor();
  const path = '/v2/team/app/manifests/1';
  const token = harbor.on('GET', '/service/token').withHeader('authorization', basic).once();
  token.reply(json({ token: 'old', expires_in: 1800 }));
  harbor
    .on('GET', '/service/token')
    .withHeader('authorization', basic)
    .once()
    .reply(json({ token: 'new' }));
  harbor
    .on('GET', path)
    .withHeader('authorization', undefined)
    .times(2)
    .reply(bearerChallenge(harbor, 'team/app'));
  harbor.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(manifestReply());
  await harbor.upstream.manifest(repo('team/app'), tagged('1'));
  harbor.on('GET', path).withHeader('authorization', 'Bearer old').once().reply(BASIC_CHALLENGE);
  harbor.on('GET', path).withHeader('authorization', 'Bearer new').once().reply(manifestReply());
  expect((await harbor.upstream.manifest(repo('team/app'), tagged('1'))).digest).toBe(MANIFEST_DIGEST);
  expect(
    harbor.script.hits.some(({ path: p, headers }) => p === path && headers.authorization === basic),
  ).toBe(false);
});

test('a proxy project redirects by 301 to library/, which has a scope of its own', async () => {
  await using harbor = await startHarbor();
  const [short, full] = ['/v2/hub/nginx/manifests/1', '/v2/hub/library/nginx/manifests/1'];
  for (const [name, value] of [
    ['hub/nginx', 'short'],
    ['hub/library/nginx', 'full'],
  ] as const) {
    harbor
      .on('GET', '/service/token')
      .withQuery('scope', `repository:${name}:pull`)
      .once()
      .reply(json({ token: value, expires_in: 1800 }));
  }
  harbor
    .on('GET', short)
    .withHeader('authorization', undefined)
    .once()
    .reply(bearerChallenge(harbor, 'hub/nginx'));
  harbor.on('GET', short).withHeader('authorization', 'Bearer short').times(2).reply(redirect(full, 301));
  harbor.on('GET', full).withHeader('authorization', 'Bearer full').times(2).reply(manifestReply());
  await harbor.upstream.manifest(repo('hub/nginx'), tagged('1'));
  expect((await harbor.upstream.manifest(repo('hub/nginx'), tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('tags are redirected by 301, too, and the page goes on where it should', async () => {
  await using harbor = await startHarbor();
  const full = '/v2/hub/library/nginx/tags/list';
  harbor
    .on('GET', '/v2/hub/nginx/tags/list')
    .withQuery('last', undefined)
    .reply(redirect(`${full}?n=1000`, 301));
  harbor
    .on('GET', '/v2/hub/nginx/tags/list')
    .withQuery('last', '1')
    .reply(redirect(`${full}?last=1`, 301));
  const link = `<${full}?last=1>; rel="next"`;
  harbor
    .on('GET', full)
    .withQuery('n', '1000')
    .reply(json({ tags: ['1'] }, { headers: { link } }));
  harbor
    .on('GET', full)
    .withQuery('last', '1')
    .reply(json({ tags: ['2'] }));
  const { next } = await harbor.upstream.tags(repo('hub/nginx'));
  expect((await harbor.upstream.tags(repo('hub/nginx'), { next })).tags).toEqual(packTags(['2']));
});

test('where only Basic is offered, the account goes with each request', async () => {
  await using harbor = await startHarbor();
  harbor
    .on('GET', '/v2/team/app/tags/list')
    .withHeader('authorization', undefined)
    .once()
    .reply(BASIC_CHALLENGE);
  harbor
    .on('GET', '/v2/team/app/tags/list')
    .withHeader('authorization', basic)
    .times(2)
    .reply(json({ tags: null }));
  expect(await harbor.upstream.tags(repo('team/app'))).toEqual({ tags: packTags([]), next: undefined });
  await harbor.upstream.tags(repo('team/app'));
});

test('a policy that forbids a pull is 412 with a document: its word', async () => {
  await using harbor = await startHarbor();
  const policy = registryError(412, 'PROJECTPOLICYVIOLATION');
  harbor.on('GET', '/v2/team/app/manifests/1').reply(policy);
  const denied = { failure: 'denied', reason: 'rejected', isVerdict: true };
  await expect(harbor.upstream.manifest(repo('team/app'), tagged('1'))).rejects.toMatchObject(denied);
});
