import { expect, test } from 'vitest';
import { digestOf } from '../../../oci/digest.ts';
import { letClaimsWait } from './belongings.ts';
import type { Connection } from '../connection.ts';
import { WriteTurns } from '../write-turns.ts';

test('letClaimsWait does not fail if the claims cannot be written: the origin is recorded by then', async () => {
  const asked: string[] = [];
  const connection = {
    transaction: (change: () => unknown) => change(),
    all(name: string) {
      asked.push(name);
      throw new Error('SQLITE_FULL');
    },
  };
  await letClaimsWait(
    connection as unknown as Connection,
    new WriteTurns(),
    'docker.io',
    digestOf(Buffer.from('l')),
  );
  expect(asked).toEqual(['repositoryIdsOf']);
});
