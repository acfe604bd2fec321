import type { SQLInputValue } from 'node:sqlite';
import type { Pin, PinIndex } from '../../pin-index.ts';
import type { Digest } from '../../../oci/digest.ts';
import { touchClosures } from './blobs.ts';
import type { Connection } from '../connection.ts';
import { digestFromBytes, digestToBytes } from '../../sql/digest-bytes.ts';
import { nameOfPin, toPinEntry } from '../../sql/pin-sql.ts';
import { putRepository } from './repositories.ts';
import type { WriteTurns } from '../write-turns.ts';

/** Creates the port for pins. */
export function createPins(connection: Connection, turns: WriteTurns): PinIndex {
  function put(pin: Pin, pinnedAt: number): void {
    const what: SQLInputValue[] =
      pin.kind === 'digest'
        ? [digestToBytes(pin.digest), null, null]
        : [null, putRepository(connection, pin.key), pin.tag];
    connection.run('putPin', nameOfPin(pin), ...what, pinnedAt);
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
    unpin: async (pin) => connection.run('deletePin', nameOfPin(pin)) > 0,
    async pins({ after, limit }) {
      return connection.all('pins', after ?? '', Math.max(0, limit)).map(toPinEntry);
    },
  };
}
