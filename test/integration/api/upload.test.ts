/** A bundle is uploaded in pieces through every door, and imported as a job. */
import { describe, expect, test } from 'vitest';
import type { UploadSource } from '../../../src/archive/upload/upload-source.ts';
import type { ApiClient } from '../../../src/api/client/api-client.ts';
import { runJob } from '../../../src/api/client/run-job.ts';
import { uploadBundle } from '../../../src/api/client/upload-bundle.ts';
import { apiWorld, DOORS } from '../../support/api-doors.ts';
import { FILES, IMAGE, layoutIndex } from '../../support/bundle-world.ts';
import { inPieces, tarOf } from '../../support/tar.ts';

const NAME = 'registry.test/acme/imported:1';
const FILLER = { path: 'filler', bytes: Buffer.alloc(20 * 1024 * 1024, 'filler') };
const BYTES = tarOf([FILLER, ...FILES, layoutIndex([[IMAGE, NAME]])]);

function source(bytes = BYTES): UploadSource {
  return {
    size: bytes.length,
    fingerprint: 'c'.repeat(64),
    bytes: (start) => inPieces(bytes.subarray(start), 3_000_000),
  };
}

describe.each(DOORS)('through the door %s', (name) => {
  test('a bundle is imported', async () => {
    await using world = await apiWorld();
    const { client } = world.doors[name];
    const sent: number[] = [];
    const upload = await uploadBundle(client, source(), (bytes) => sent.push(bytes));
    expect(sent).toEqual([0, 9_000_000, 18_000_000, BYTES.length]);
    expect(await client.call('upload', { id: upload })).toMatchObject({ offset: BYTES.length });
    const result = await runJob(client, 'import', { upload });
    expect(result).toMatchObject({ images: [{ name: NAME, digest: IMAGE.digest }], refused: [] });
    const { status } = await world.mirror.get('/v2/acme/imported/manifests/1');
    expect(status).toBe(200);
    await expect(client.call('upload', { id: upload })).rejects.toMatchObject({ code: 'unknown' });
  });

  test('an upload that breaks off goes on where it was', async () => {
    await using world = await apiWorld();
    const { client } = world.doors[name];
    let calls = 0;
    const breaking = {
      call: ((...args: Parameters<ApiClient['call']>) => {
        calls += 1;
        return calls === 3 ? Promise.reject(new Error('broken off')) : client.call(...args);
      }) as ApiClient['call'],
    };
    await expect(uploadBundle(breaking, source())).rejects.toThrow('broken off');
    const sent: number[] = [];
    await uploadBundle(client, source(), (bytes) => sent.push(bytes));
    expect(sent).toEqual([9_000_000, 18_000_000, BYTES.length]);
  });

  test('a bundle that is refused says why, and its upload ends', async () => {
    await using world = await apiWorld();
    const { client } = world.doors[name];
    const upload = await uploadBundle(client, source(BYTES.subarray(0, 1_000_000)));
    await expect(runJob(client, 'import', { upload })).rejects.toThrow(
      'the bundle is refused: it is no whole tar',
    );
    await expect(client.call('upload', { id: upload })).rejects.toMatchObject({ code: 'unknown' });
  });
});
