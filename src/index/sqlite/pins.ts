import type { SQLInputValue } from 'node:sqlite';
import type { ContentIndex, Pin, PinEntry } from '../content-index.ts';
import { IndexDamagedError } from '../error.ts';
import { touchClosure } from './blobs.ts';
import type { Connection } from './connection.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';
import { putRepository } from './repositories.ts';
import type { Rows } from './sql.ts';

type Pins = Pick<ContentIndex, 'closure' | 'pin' | 'unpin' | 'pins'>;

export function createPins(connection: Connection): Pins {
  function put(pin: Pin, pinnedAt: number): void {
    const what: SQLInputValue[] =
      pin.kind === 'digest'
        ? [digestToBytes(pin.digest), null, null]
        : [null, putRepository(connection, pin.key), pin.tag];
    connection.run('putPin', nameOf(pin), ...what, pinnedAt);
  }

  function rootOf(pin: Pin): Uint8Array | undefined {
    if (pin.kind === 'digest') return digestToBytes(pin.digest);
    return connection.get('tag', pin.key.upstream, pin.key.repository, pin.tag)?.digest;
  }

  return {
    async closure(digest) {
      const rows = connection.all('closure', digestToBytes(digest));
      const digests = rows.map((row) => digestFromBytes(row.digest));
      return [...new Set(digests)];
    },
    async pin(pin, pinnedAt) {
      connection.transaction(() => {
        put(pin, pinnedAt);
        const root = rootOf(pin);
        if (root !== undefined) touchClosure(connection, root, pinnedAt);
      });
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
  return `${pin.key.upstream}/${pin.key.repository}:${pin.tag}`;
}

function toEntry({ name, digest, tag, upstream, repository, tagged, pinned_at }: Rows['pins']): PinEntry {
  if (digest !== null) {
    const pinned = digestFromBytes(digest);
    return { name, pin: { kind: 'digest', digest: pinned }, digest: pinned, pinnedAt: pinned_at };
  }
  if (upstream === null || repository === null || tag === null) {
    throw new IndexDamagedError(`the index holds a pin of nothing: ${name}`, 'PIN');
  }
  return {
    name,
    pin: { kind: 'tag', key: { upstream, repository }, tag },
    digest: tagged === null ? undefined : digestFromBytes(tagged),
    pinnedAt: pinned_at,
  };
}
