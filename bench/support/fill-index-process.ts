/**
 * `node fill-index-process.ts ROOT CACHE-DIRECTORY BLOBS TAGS`: makes a cache directory look as if it held BLOBS blobs
 * of 4 KB, by the code of the sources at ROOT; a revision is compared by its own copy of this program. Every tag has a
 * manifest of its own, which refers to its share of the other blobs; all belong to repositories of a hundred tags. The
 * files are links to a few: they have the names and sizes that the program looks at, and take seconds instead of hours.
 */
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as belongings from '../../src/index/sqlite/ports/belongings.ts';
import type * as connections from '../../src/index/sqlite/connection.ts';
import type * as digestBytes from '../../src/index/sql/digest-bytes.ts';
import type * as manifests from '../../src/index/sqlite/ports/manifests.ts';
import type * as repositories from '../../src/index/sqlite/ports/repositories.ts';
import type { RepositoryName } from '../../src/oci/repository-name.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestHex } from '../../src/oci/digest.ts';
import type { Edge } from '../../src/oci/manifest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { filledDigest, filledRepository, filledTag, filledUse } from './filled-index.ts';
import { UPSTREAM_NAME } from './larder.ts';

const SIZE = 4096;
/** ext4 allows 65,000 links to a file. */
const LINKS = 60_000;
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

type Program = Partial<Pick<typeof belongings, 'recordBelonging'>> &
  Pick<typeof connections, 'Connection'> &
  Pick<typeof manifests, 'recordManifest'> &
  Pick<typeof repositories, 'putRepository'> &
  Pick<typeof digestBytes, 'digestToBytes'>;

const [root = '', directory = '', blobs, tags] = process.argv.slice(2);
const program = await load();
const connection = new program.Connection(join(directory, 'index.db'));
connection.transaction(() => fill(connection, Number(blobs), Number(tags)));
connection.close();
linkFiles(Number(blobs));

async function load(): Promise<Program> {
  const bodies = ['belongings', 'manifests', 'repositories'].map((name) => `sqlite/ports/${name}`);
  const paths = ['sqlite/connection', 'sql/digest-bytes', ...bodies];
  const modules = paths.map(async (path) => import(join(root, `src/index/${path}.ts`)) as Promise<object>);
  return Object.assign({}, ...(await Promise.all(modules))) as Program;
}

function fill(connection: connections.Connection, blobs: number, tags: number): void {
  const share = Math.floor(blobs / tags);
  const now = Date.now();
  for (let tag = 0; tag < tags; tag += 1) {
    const repository = filledRepository(tag) as RepositoryName;
    const id = program.putRepository(connection, { registry: UPSTREAM_NAME, repository });
    const [manifest, ...children] = Array.from({ length: share }, (_, i) =>
      filledDigest(tag * share + i, share * tags),
    );
    if (manifest === undefined) throw new Error('more tags than blobs');
    const descriptor = { mediaType: MediaType.ociManifest, digest: manifest, size: SIZE };
    program.recordManifest(connection, { descriptor, subject: undefined }, children.map(toEdge));
    for (const [i, digest] of [manifest, ...children].entries()) {
      const bytes = program.digestToBytes(digest);
      // Revisions without this function wrote no source.
      if (program.recordBelonging === undefined) connection.run('putBelonging', id, bytes);
      else program.recordBelonging(connection, id, digest, 'given');
      connection.run('putBlob', bytes, SIZE, filledUse(tag * share + i, share * tags), bytes, bytes);
    }
    const stands = [id, filledTag(tag), program.digestToBytes(manifest)];
    // Those revisions did not write, either, since when a tag points to its manifest.
    if (program.recordBelonging === undefined) connection.run('putTag', ...stands, now);
    else connection.run('putTag', ...stands, now, 'pulled', now);
  }
  connection.run('addToTotals', share * tags, share * tags * SIZE);
}

function toEdge(digest: Digest, position: number): Edge {
  return { role: position === 0 ? 'config' : 'layer', digest, size: SIZE, mediaType: LAYER };
}

function linkFiles(blobs: number): void {
  const folder = join(directory, 'blobs/sha256');
  mkdirSync(folder, { recursive: true });
  let source = '';
  for (let number = 0; number < blobs; number += 1) {
    const file = join(folder, digestHex(filledDigest(number, blobs)));
    if (number % LINKS === 0)
      writeFileSync((source = file), createHash('sha256').update(file).digest('hex').repeat(64));
    else linkSync(source, file);
  }
}
