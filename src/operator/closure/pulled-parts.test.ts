import { expect, test } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import { MediaType } from '../../oci/media-type.ts';
import type { OpenedBlob } from '../../repository/opened-blob.ts';
import type { Repository } from '../../repository/repository.ts';
import { BytesReader } from '../../store/bytes-reader.ts';
import { isPending } from '../../store/store-under-test.contract.ts';
import { PulledParts } from './pulled-parts.ts';

const BYTES = Buffer.from('a layer');
const LAYER = { mediaType: MediaType.ociManifest, digest: digestOf(BYTES), size: BYTES.length };

function repositoryWith(opened: Partial<OpenedBlob>): Repository {
  const blob = { reader: new BytesReader(BYTES), outcome: { hit: false }, ...opened };
  const repository: Pick<Repository, 'key' | 'blob'> = {
    key: { registry: 'registry.test', repository: 'acme/app' as RepositoryName },
    blob: () => Promise.resolve(blob),
  };
  return repository as Repository;
}

test('a blob is pulled once it is stored, not already when all of its bytes are here', async () => {
  const storing = Promise.withResolvers<void>();
  const parts = new PulledParts(() => {});
  const repository = repositoryWith({ storing: storing.promise });
  const pulled = parts.pull(repository, LAYER, new AbortController().signal);
  expect(await isPending(pulled)).toBe(true);
  storing.resolve();
  expect(await pulled).toBe(BYTES.length);
});

test('a blob that is here already is pulled at once', async () => {
  const parts = new PulledParts(() => {});
  expect(await parts.pull(repositoryWith({}), LAYER, new AbortController().signal)).toBe(BYTES.length);
});
