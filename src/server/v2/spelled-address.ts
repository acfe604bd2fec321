import type { IncomingMessage } from 'node:http';
import type { Action } from '../../access/action.ts';
import { splitUrl } from '../request/split-url.ts';
import { readAddress, type RepositoryPath, type RequestAddress } from './route.ts';
import type { V2Path } from './v2-path.ts';

/**
 * The address of a request, or the error by which it cannot be read: the client is told of that error only once it is
 * known who the client is. The `ns` is read all the same, since it decides how errors are told.
 */
export type SpelledAddress =
  RequestAddress | { readonly path: undefined; readonly ns: string | undefined; readonly error: unknown };

export function spelledAddress(incoming: IncomingMessage): SpelledAddress {
  try {
    return readAddress(incoming);
  } catch (error) {
    return { path: undefined, ns: splitUrl(incoming.url ?? '/').query.get('ns') ?? undefined, error };
  }
}

/** @throws RegistryError the error by which the address cannot be read */
export function assertReadable(spelled: SpelledAddress): RequestAddress {
  if (spelled.path === undefined) throw spelled.error;
  return spelled;
}

/** Returns the registry's name beside `/v2/`, if there is one. */
export function prefixOf(path: V2Path | undefined): string | undefined {
  if (path === undefined || path.kind === 'catalog') return undefined;
  return path.kind === 'ping' ? path.upstream : path.prefix;
}

/** Returns what the client must be allowed to do; undefined for a ping, which is asked for no repository. */
export function actionOf(path: RepositoryPath): Action;
export function actionOf(path: V2Path): Action | undefined;
export function actionOf({ kind }: V2Path): Action | undefined {
  if (kind === 'ping') return undefined;
  return kind === 'tags' || kind === 'catalog' ? 'tags' : 'pull';
}
