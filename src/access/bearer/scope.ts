import type { Action } from '../action.ts';

/** The actions that a scope can name and Larder knows, each with what it means in rules. */
const MEANING = {
  pull: ['pull', 'tags'],
  push: ['push'],
  delete: ['delete'],
  '*': ['pull', 'tags', 'push', 'delete'],
} as const satisfies Readonly<Record<string, readonly Action[]>>;

type WireAction = keyof typeof MEANING;

/** What a client asks a token for (distribution's token specification, "Token Scope"). */
export type Scope =
  | {
      readonly kind: 'repository';
      /** As the client spells it, perhaps with a registry's name in front. */
      readonly name: string;
      readonly actions: readonly WireAction[];
    }
  | { readonly kind: 'catalog' };

/**
 * Most scopes of one request. A token for more repositories with long names would not fit into the headers that servers
 * and proxies accept.
 */
export const MAX_SCOPES = 20;

/** Enough for a name of 255 characters behind a registry's name, and all actions. */
const MAX_SCOPE_LENGTH = 600;

/** The type may have a class, such as `repository(plugin)`, and the name may hold colons: `host:port/name`. */
const SCOPE = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:(.+):([a-z,*]*)$/;

/**
 * Reads the parameters `scope` of a request: each may hold several scopes, separated by spaces. What Larder cannot grant
 * is left out, since a token for less than a client asks is an answer.
 * @returns undefined if there are too many
 */
export function parseScopes(parameters: readonly string[]): readonly Scope[] | undefined {
  const texts = new Set(
    parameters.flatMap((parameter) => parameter.split(' ')).filter((text) => text !== ''),
  );
  if (texts.size > MAX_SCOPES) return undefined;
  return [...texts].map(parseScope).filter((scope) => scope !== undefined);
}

/** Writes a scope as clients do. */
export function formatScope(scope: Scope): string {
  if (scope.kind === 'catalog') return 'registry:catalog:*';
  return `repository:${scope.name}:${scope.actions.join(',')}`;
}

/** Returns the actions that rules know, without repetition. */
export function meaningOf(actions: readonly WireAction[]): readonly Action[] {
  return [...new Set(actions.flatMap((action) => MEANING[action]))];
}

function parseScope(text: string): Scope | undefined {
  if (text.length > MAX_SCOPE_LENGTH) return undefined;
  const [, type, name = '', list = ''] = SCOPE.exec(text) ?? [];
  if (type === 'registry') return name === 'catalog' && list === '*' ? { kind: 'catalog' } : undefined;
  const actions = [...new Set(list.split(',').filter(isWireAction))];
  return type === 'repository' && actions.length > 0 ? { kind: 'repository', name, actions } : undefined;
}

function isWireAction(text: string): text is WireAction {
  return Object.hasOwn(MEANING, text);
}
