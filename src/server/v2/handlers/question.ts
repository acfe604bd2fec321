import type { IncomingMessage } from 'node:http';
import type { Asking } from '../../../repository/repository.ts';
import type { Route } from '../route.ts';

/** Bytes that cannot be guessed, as `randomBytes` of node:crypto gives them. */
export type RandomBytes = (size: number) => Uint8Array;

/** The facts about a request for a repository that every handler needs. */
export interface Question extends Pick<Route, 'repository' | 'query' | 'rawPath'>, Asking {
  /** The client's key, by which limits per client are counted. */
  readonly client: string;
  /** The repository's name as the client spelled it. */
  readonly name: string;
  readonly headers: IncomingMessage['headersDistinct'];
  readonly isHead: boolean;
  readonly randomBytes: RandomBytes;
  /** Whether it is HTTP/1.0, without chunks: a body without a length ends with the connection (RFC 9112 §6.3). */
  readonly needsLength: boolean;
}
