import { expect, test } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { MediaType } from '../oci/media-type.ts';
import { ManifestMemory } from './manifest-memory.ts';
import type { StoredManifest } from './stored-manifest.ts';

const UPSTREAM = 'registry.test';

function manifestOf(text: string): StoredManifest {
  return { digest: digestOf(text), mediaType: MediaType.ociManifest, bytes: Buffer.from(text) };
}

test('each upstream has its own manifest of the same bytes', () => {
  const memory = new ManifestMemory(1024 * 1024);
  const [one, other] = [manifestOf('{}'), { ...manifestOf('{}'), mediaType: MediaType.dockerManifest }];
  memory.set(UPSTREAM, one);
  memory.set('other.test', other);
  expect([memory.get(UPSTREAM, one.digest), memory.get('other.test', one.digest)]).toEqual([one, other]);
  expect(memory.get('third.test', one.digest)).toBeUndefined();
});

test('a deleted manifest is here for no upstream', () => {
  const memory = new ManifestMemory(1024 * 1024);
  const [gone, left] = [manifestOf('{}'), manifestOf('{ }')];
  for (const upstream of [UPSTREAM, 'other.test']) memory.set(upstream, gone);
  memory.set(UPSTREAM, left);
  memory.delete(gone.digest);
  expect([memory.has(gone.digest), memory.has(left.digest)]).toEqual([false, true]);
  expect(memory.get('other.test', gone.digest)).toBeUndefined();
});

test.each([
  ['just enough for two', 2 * (1024 + 2 * 100), [true, true]],
  ['a byte too little for two', 2 * (1024 + 2 * 100) - 1, [false, true]],
])('a manifest takes twice its bytes and a KiB: %s', (_, maxBytes, expected) => {
  const memory = new ManifestMemory(maxBytes);
  const manifests = ['a', 'b'].map((letter) => manifestOf(letter.repeat(100)));
  for (const manifest of manifests) memory.set(UPSTREAM, manifest);
  expect(manifests.map(({ digest }) => memory.has(digest))).toEqual(expected);
});

test('the same bytes from two upstreams take the room of two', () => {
  const memory = new ManifestMemory(3 * (1024 + 2 * 100) - 1);
  const [first, second] = ['a', 'b'].map((letter) => manifestOf(letter.repeat(100)));
  memory.set(UPSTREAM, first!);
  for (const upstream of [UPSTREAM, 'other.test']) memory.set(upstream, second!);
  expect([memory.has(first!.digest), memory.has(second!.digest)]).toEqual([false, true]);
});
