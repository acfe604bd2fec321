/**
 * crane and whatever else is built on go-containerregistry (ko, skaffold, kaniko): a ping, one line of Accept
 * joined by commas, and a HEAD that is believed only with type, length and digest.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  identityOf,
  requestsOf,
  startClientWorld,
  wholeOf,
  type ClientWorld,
  type WireClient,
} from '../../support/client-world.ts';
import type { StoredImage, StoredManifest } from '../../support/fake-registry.ts';
import { instead, status } from '../../support/scripted-reply.ts';

/** `crane digest`, `crane manifest`: every type there is. */
const ANY = [
  MediaType.dockerSchema1,
  MediaType.dockerSchema1Signed,
  MediaType.dockerManifest,
  MediaType.ociManifest,
  MediaType.dockerList,
  MediaType.ociIndex,
].join(',');

/** Callers that take single images only. */
const IMAGES = [MediaType.dockerManifest, MediaType.ociManifest].join(',');

function craneOf(world: ClientWorld): WireClient {
  const userAgent = 'crane/v0.20.6 go-containerregistry/v0.20.6';
  return world.client({ 'user-agent': userAgent, 'accept-encoding': 'gzip' });
}

function putAlpine(world: ClientWorld): { index: StoredManifest; amd64: StoredImage; arm64: StoredImage } {
  const amd64 = world.hub.putImage('library/alpine', undefined, { layers: [randomBytes(5000)] });
  const arm64 = world.hub.putImage('library/alpine', undefined, { config: { architecture: 'arm64' } });
  const index = world.hub.putIndex('library/alpine', '3', [
    { ...arm64.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
    { ...amd64.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
  ]);
  return { index, amd64, arm64 };
}

test('crane digest: HEAD has type, length and digest, and so it needs no GET, which would cost a pull', async () => {
  await using world = await startClientWorld();
  const { index } = putAlpine(world);
  const crane = craneOf(world);
  expect((await crane.get('/v2/')).status).toBe(200);
  for (let i = 0; i < 2; i += 1) {
    const { headers } = await crane.head('/v2/library/alpine/manifests/3', { accept: ANY });
    expect(headers).toMatchObject({
      'content-type': MediaType.ociIndex,
      'content-length': String(index.bytes.length),
      'docker-content-digest': index.digest,
    });
  }
  expect(requestsOf(world.hub)).toEqual(['HEAD /v2/library/alpine/manifests/3']);
});

test('HEAD and GET of a manifest differ in nothing but the body', async () => {
  await using world = await startClientWorld();
  const { index } = putAlpine(world);
  const crane = craneOf(world);
  await crane.get('/v2/library/alpine/manifests/3', { accept: ANY });
  for (const reference of ['3', index.digest]) {
    const path = `/v2/library/alpine/manifests/${reference}`;
    const [head, answer] = [await crane.head(path, { accept: ANY }), await crane.get(path, { accept: ANY })];
    const varying = { date: '', 'x-request-id': '' };
    expect({ ...head.headers, ...varying }).toEqual({ ...answer.headers, ...varying });
    expect([head.body.length, answer.body.length]).toEqual([0, index.bytes.length]);
  }
});

test('crane pull: the index by tag, the platform’s manifest and its blobs by digest, as long as their descriptors', async () => {
  await using world = await startClientWorld();
  const { index, arm64 } = putAlpine(world);
  const crane = craneOf(world);
  const tagged = await crane.get('/v2/library/alpine/manifests/3', { accept: ANY });
  expect(identityOf(tagged)).toEqual(wholeOf(index.descriptor));
  const child = await crane.get(`/v2/library/alpine/manifests/${arm64.digest}`, { accept: ANY });
  expect(identityOf(child)).toEqual(wholeOf(arm64.descriptor));
  expect(child.headers['content-type']).toBe(MediaType.ociManifest);
  for (const descriptor of [arm64.config, ...arm64.layers]) {
    const answer = await crane.get(`/v2/library/alpine/blobs/${descriptor.digest}`);
    expect(identityOf(answer)).toEqual(wholeOf(descriptor));
  }
  expect(crane.connections).toBe(1);
});

test('Accept of single images, joined by commas, gets the image of linux/amd64 under its own digest', async () => {
  await using world = await startClientWorld();
  const { amd64 } = putAlpine(world);
  const crane = craneOf(world);
  const head = await crane.head('/v2/library/alpine/manifests/3', { accept: IMAGES });
  expect(head.headers).toMatchObject({
    'docker-content-digest': amd64.digest,
    'content-length': String(amd64.bytes.length),
    'content-type': MediaType.ociManifest,
  });
  const answer = await crane.get('/v2/library/alpine/manifests/3', { accept: IMAGES });
  expect(identityOf(answer)).toEqual(wholeOf(amd64.descriptor));
});

describe('a mirror that is named as the registry: crane pull mirror:5000/alpine', () => {
  test('adds library/ by itself, without a redirect, for manifests, blobs and lists', async () => {
    await using world = await startClientWorld();
    const { index, amd64 } = putAlpine(world);
    const crane = craneOf(world);
    const tagged = await crane.get('/v2/alpine/manifests/3', { accept: ANY });
    expect(identityOf(tagged)).toEqual(wholeOf(index.descriptor));
    await crane.get(`/v2/alpine/manifests/${amd64.digest}`);
    for (const descriptor of [amd64.config, ...amd64.layers]) {
      expect(identityOf(await crane.get(`/v2/alpine/blobs/${descriptor.digest}`))).toEqual(
        wholeOf(descriptor),
      );
    }
    const list = await crane.get('/v2/alpine/tags/list?n=1000');
    expect(JSON.parse(list.body.toString())).toEqual({ name: 'alpine', tags: ['3'] });
    for (const { path } of world.hub.requests) expect(path).toMatch(/^\/v2\/library\/alpine\//);
  });
});

test('crane ls and crane catalog: pages of 1000, linked to on the same registry', async () => {
  await using world = await startClientWorld();
  const { index } = putAlpine(world);
  for (let i = 0; i < 1500; i += 1) world.hub.tag('library/alpine', `edge-${i}`, index.digest);
  const crane = craneOf(world);
  const first = await crane.get('/v2/library/alpine/tags/list?n=1000');
  expect((JSON.parse(first.body.toString()) as { tags: string[] }).tags).toHaveLength(1000);
  const next = /^<(\/[^>]+)>; rel="next"$/.exec(String(first.headers['link']))?.[1] ?? '';
  const second = await crane.get(next);
  expect((JSON.parse(second.body.toString()) as { tags: string[] }).tags).toHaveLength(501);
  expect(second.headers).not.toHaveProperty('link');
  await crane.get('/v2/library/alpine/manifests/3', { accept: ANY });
  const catalog = await crane.get('/v2/_catalog?n=1000');
  expect(JSON.parse(catalog.body.toString())).toEqual({ repositories: ['docker.io/library/alpine'] });
});

test('it tries three times within half a second: the third finds an upstream that is back', async () => {
  await using world = await startClientWorld();
  const { index, amd64 } = putAlpine(world);
  world.hub.fault({ kind: 'manifest', times: 2 }, instead(status(503)));
  world.hub.fault({ kind: 'blob', times: 2 }, instead(status(503)));
  const crane = craneOf(world);
  const statuses = async (path: string): Promise<number[]> => {
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push((await crane.get(path, { accept: ANY })).status);
    return answers;
  };
  expect(await statuses(`/v2/library/alpine/manifests/${index.digest}`)).toEqual([502, 502, 200]);
  expect(await statuses(`/v2/library/alpine/blobs/${amd64.config.digest}`)).toEqual([502, 502, 200]);
});
