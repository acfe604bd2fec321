import { expect, test, type TestContext } from 'vitest';
import { conformance, conformanceUnable, type ConformanceResult } from '../support/e2e/conformance.ts';
import { dockerRegistry, type DockerRegistry } from '../support/e2e/docker-registry.ts';
import { larder } from '../support/e2e/larder.ts';
import { pusher } from '../support/e2e/push.ts';
import { splitter } from '../support/e2e/splitter.ts';

const REPOSITORY = 'conformance/repo1';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const PASSED = 'OCI Conformance Result: Pass';

const unable = await conformanceUnable();
if (unable !== undefined) console.log(`skipped, the conformance tool cannot be had here: ${unable}`);

function needsTool(context: TestContext): void {
  context.skip(unable !== undefined, unable);
}

/**
 * What a repository was given by digest, Larder goes on to serve when the registry has deleted it (ADR 11). The tool
 * has a setting for registries where a deletion is not seen at once; a tag's deletion is to be, and stays asked for.
 */
const LASTING = { OCI_API_BLOBS_ATOMIC: 'false', OCI_API_MANIFESTS_ATOMIC: 'false' };

/** Larder before the registry, with nothing that it may answer without having asked. */
async function asking(registry: DockerRegistry) {
  return larder({
    upstreams: { 'docker.io': { url: registry.url } },
    tags: { ttl: '0s' },
    negativeTtl: '0s',
  });
}

test('what a registry holds conforms to the specification when it is read through Larder', async (context) => {
  needsTool(context);
  await using registry = await dockerRegistry();
  const content = await push(registry.directUrl);
  await using mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });

  const result = await conformance(mirror.host, {
    OCI_VERSION: 'dev',
    // With the version "dev" the tool wants a manifest's digest header, and misses the one that is there.
    OCI_API_MANIFESTS_DIGEST_HEADER: 'false',
    OCI_API_PUSH: 'false',
    OCI_API_BLOBS_DELETE: 'false',
    OCI_API_MANIFESTS_DELETE: 'false',
    OCI_API_TAGS_DELETE: 'false',
    OCI_RO_DATA_TAGS: content.tags.join(' '),
    OCI_RO_DATA_MANIFESTS: content.manifests.join(' '),
    OCI_RO_DATA_BLOBS: content.blobs.join(' '),
    OCI_RO_DATA_REFERRERS: content.subjects.join(' '),
  });

  // Not the exit code: where nothing is pushed, the tool panics once it has printed its result.
  expect(result.output).toContain(PASSED);
  expect(registry.proxy.requests.filter(({ kind }) => kind === 'blob').length).toBeGreaterThan(0);
});

test('no case of the whole suite that passes at the registry fails where Larder answers what is read', async (context) => {
  needsTool(context);
  await using plain = await dockerRegistry();
  await using behind = await dockerRegistry();
  await using mirror = await asking(behind);
  await using split = await splitter(mirror.url, behind.directUrl);

  const [direct, through] = await Promise.all([
    conformance(plain.directHost, LASTING),
    conformance(split.host, LASTING),
  ]);

  const passing = passesOf(direct);
  expect(passing.size).toBeGreaterThan(100);
  expect(split.reads()).toBeGreaterThan(100);
  const passed = passesOf(through);
  const failing = [...passing].filter(([name, times]) => (passed.get(name) ?? 0) < times);
  if (failing.length > 0) console.error(through.output);
  expect(failing.map(([name]) => name)).toEqual([]);
});

/** How many cases of a name passed: the tool gives one name to a case for each blob or manifest. */
function passesOf({ cases }: ConformanceResult): ReadonlyMap<string, number> {
  const passes = new Map<string, number>();
  for (const { name, status } of cases) {
    if (status === 'passed') passes.set(name, (passes.get(name) ?? 0) + 1);
  }
  return passes;
}

/** An image with two tags, and what refers to it, listed as a registry without the referrers API has it. */
async function push(registryUrl: string) {
  const to = pusher(registryUrl, REPOSITORY);
  const config = await to.blob(Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json');
  const layer = await to.blob(Buffer.alloc(100_000, 'layer'), 'application/vnd.oci.image.layer.v1.tar');
  const image = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] };
  const subject = await to.manifest(JSON.stringify(image), MANIFEST, 'one');
  await to.manifest(JSON.stringify(image), MANIFEST, 'two');
  const artifactType = 'application/vnd.example.signature';
  const signature = await to.manifest(JSON.stringify({ ...image, artifactType, subject }), MANIFEST);
  const manifests = [{ ...signature, artifactType }];
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
  const list = await to.manifest(index, INDEX, subject.digest.replace(':', '-'));
  return {
    tags: ['one', 'two'],
    manifests: [subject.digest, signature.digest, list.digest],
    blobs: [config.digest, layer.digest],
    subjects: [subject.digest],
  };
}
