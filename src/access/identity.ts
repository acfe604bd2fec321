import type { Action } from './action.ts';
import type { Principal } from './principal.ts';

/** A repository that a request asks for, by its registry's own name: never as the client spelled it. */
export interface Place {
  readonly registry: string;
  readonly repository: string;
}

/**
 * What one of Larder's own tokens was issued for (distribution's token specification, "access"): the actions by
 * `registry/repository`.
 */
export type Grant = ReadonlyMap<string, ReadonlySet<Action>>;

/** The key of the catalog in a grant, with the action `tags`. No repository has it: theirs contain a slash. */
export const CATALOG = 'catalog';

/** What a request's credentials prove. */
export interface Identity {
  readonly principal: Principal;
  /** Undefined: everything that the rules allow the principal. */
  readonly grant?: Grant | undefined;
}

/** Returns the key of a repository in a grant, and the text that a rule's globs match. */
export function placeName({ registry, repository }: Place): string {
  return `${registry}/${repository}`;
}
