import type { SQLInputValue } from 'node:sqlite';
import type { Pin, PinEntry, PinIndex } from '../pin-index.ts';
import { IndexDamagedError } from '../error.ts';
import type { Digest } from '../../oci/digest.ts';
import { touchClosures } from './blobs.ts';
import type { Connection } from './connection.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';
import { putRepository } from './repositories.ts';
import type { Rows } from './sql.ts';
import type { WriteTurns } from './write-turns.ts';

export function createPins(connection: Connection, turns: WriteTurns): PinIndex {
  function put(pin: Pin, pinnedAt: number): void {
    const what: SQLInputValue[] =
      pin.kind === 'digest'
        ? [digestToBytes(pin.digest), null, null]
        : [null, putRepository(connection, pin.key), pin.tag];
    connection.run('putPin', nameOf(pin), ...what, pinnedAt);
  }

  function rootOf(pin: Pin): Digest | undefined {
    if (pin.kind === 'digest') return pin.digest;
    const row = connection.get('tag', pin.key.registry, pin.key.repository, pin.tag);
    return row && digestFromBytes(row.digest);
  }

  return {
    async pin(pin, pinnedAt) {
      const root = connection.transaction(() => {
        put(pin, pinnedAt);
        return rootOf(pin);
      });
      if (root !== undefined) await touchClosures(connection, turns, [[root, pinnedAt]]);
    },
    unpin: async (pin) => connection.run('deletePin', nameOf(pin)) > 0,
    async pins({ after, limit }) {
      return connection.all('pins', after ?? '', Math.max(0, limit)).map(toEntry);
    },
  };
}

/** Repositories have a slash before the colon, digests have not: no name stands for two pins. */
function nameOf(pin: Pin): string {
  if (pin.kind === 'digest') return pin.digest;
  return `${pin.key.registry}/${pin.key.repository}:${pin.tag}`;
}

function toEntry({ name, digest, tag, registry, repository, tagged, pinned_at }: Rows['pins']): PinEntry {
  if (digest !== null) {
    const pinned = digestFromBytes(digest);
    return { name, pin: { kind: 'digest', digest: pinned }, digest: pinned, pinnedAt: pinned_at };
  }
  if (registry === null || repository === null || tag === null) {
    throw new IndexDamagedError(`the index holds a pin of nothing: ${name}`, 'PIN');
  }
  return {
    name,
    pin: { kind: 'tag', key: { registry, repository }, tag },
    digest: tagged === null ? undefined : digestFromBytes(tagged),
    pinnedAt: pinned_at,
  };
}
