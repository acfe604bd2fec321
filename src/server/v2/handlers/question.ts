import type { IncomingMessage } from 'node:http';
import type { Asking } from '../../../repository/repository.ts';
import type { Route } from '../route.ts';
import type { RandomBytes } from '../sealed-cursor.ts';

/** What every handler needs of a request about a repository. */
export interface Question extends Pick<Route, 'repository' | 'query' | 'rawPath'>, Asking {
  /** The key of the client: what is limited for each client is counted by it. */
  readonly client: string;
  /** The repository's name as it was asked for. */
  readonly name: string;
  readonly headers: IncomingMessage['headersDistinct'];
  readonly isHead: boolean;
  readonly randomBytes: RandomBytes;
  /** HTTP/1.0 has no chunked coding: a body without a length ends with the connection, whole or cut (RFC 9112 §6.3). */
  readonly needsLength: boolean;
}
