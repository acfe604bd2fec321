import type { ContentIndex } from '../content-index.ts';
import type { Connection } from './connection.ts';
import { digestToBytes } from './digest-bytes.ts';
import { putRepository } from './repositories.ts';

type Belongings = Pick<ContentIndex, 'belongs' | 'putBelonging' | 'deleteBelonging'>;

export function createBelongings(connection: Connection): Belongings {
  return {
    async belongs({ upstream, repository }, digest) {
      return connection.get('belonging', upstream, repository, digestToBytes(digest)) !== undefined;
    },
    async putBelonging(key, digest) {
      connection.transaction(() => {
        connection.run('putBelonging', putRepository(connection, key), digestToBytes(digest));
      });
    },
    async deleteBelonging({ upstream, repository }, digest) {
      connection.run('deleteBelonging', upstream, repository, digestToBytes(digest));
    },
  };
}
