import type { Action } from '../action.ts';
import { CATALOG, placeName, type Grant, type Place } from '../identity.ts';
import { meaningOf, type Scope } from './scope.ts';

/** What decides about a client's scopes. */
export interface Granting {
  /**
   * Returns the repository that a scope's name means to the registry API, for a client that came the same way;
   * undefined: none.
   */
  readonly placeOf: (name: string) => Place | undefined;
  /** Whether the client may do it: by the rules, and by the token that it has shown in place of a password. */
  readonly allows: (action: Action, place: Place) => boolean;
  /** Whether the client may ask for the catalog at all; the rules decide what it then shows. */
  readonly allowsCatalog: boolean;
}

/** The part of the scopes that a client gets. */
export interface Granted {
  readonly grant: Grant;
  /** The same as the client spelled it. */
  readonly scopes: readonly Scope[];
}

/** Decides what a token is issued for: what is asked and allowed. Pure, but for what `granting` does. */
export function decideGrant(asked: readonly Scope[], granting: Granting): Granted {
  const grant = new Map<string, ReadonlySet<Action>>();
  const scopes: Scope[] = [];
  for (const scope of asked) {
    const part = scope.kind === 'catalog' ? catalogPart(granting) : repositoryPart(scope, granting);
    if (part === undefined) continue;
    grant.set(part.key, new Set([...(grant.get(part.key) ?? []), ...part.actions]));
    if (part.granted !== undefined) scopes.push(part.granted);
  }
  return { grant, scopes };
}

/** What one scope adds to a grant. */
interface Part {
  readonly key: string;
  readonly actions: readonly Action[];
  /** Undefined: only `tags`, which has no word in a scope. */
  readonly granted: Scope | undefined;
}

function catalogPart({ allowsCatalog }: Granting): Part | undefined {
  return allowsCatalog ? { key: CATALOG, actions: ['tags'], granted: { kind: 'catalog' } } : undefined;
}

function repositoryPart(
  scope: Scope & { kind: 'repository' },
  { placeOf, allows }: Granting,
): Part | undefined {
  const place = placeOf(scope.name);
  if (place === undefined) return undefined;
  const actions = meaningOf(scope.actions).filter((action) => allows(action, place));
  if (actions.length === 0) return undefined;
  const words = (['pull', 'push', 'delete'] as const).filter((word) => actions.includes(word));
  return {
    key: placeName(place),
    actions,
    granted: words.length === 0 ? undefined : { ...scope, actions: words },
  };
}
