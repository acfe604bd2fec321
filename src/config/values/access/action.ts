import { z } from 'zod';
import { alternatives, shown } from '../../config-problem.ts';
import { leaf, type Leaf } from '../leaf.ts';
import { unique } from '../list.ts';
import { ValueError } from '../value-error.ts';

/** What a rule can allow. */
export const ACTIONS = ['pull', 'tags', 'push', 'delete', 'read', 'admin', 'metrics'] as const;

/** Those that concern no single repository. */
export const FOR_NO_REPOSITORY: readonly string[] = ['read', 'admin', 'metrics'];

export type ActionConfig = (typeof ACTIONS)[number];

/** What every client can be allowed by one word. The rest changes something, and needs a rule. */
const FOR_ALL = ['pull', 'tags', 'metrics'] as const;

/** What the word `pull` alone means: a client that may pull may know the tags. */
const PULL: readonly ActionConfig[] = ['pull', 'tags'];

/** A list of actions in a rule. An empty one denies. */
export function actions(): z.ZodReadonly<z.ZodArray<z.ZodEnum<{ [Action in ActionConfig]: Action }>>> {
  return z.array(z.enum(ACTIONS)).readonly();
}

/** What every client may: `pull`, or a list. */
export function actionsForAll(): Leaf<readonly ActionConfig[]> {
  return leaf({
    title: '`pull`, or list of actions',
    read: readForAll,
    write: (value) => (JSON.stringify(value) === JSON.stringify(PULL) ? 'pull' : [...value]),
    got: (value) =>
      Array.isArray(value) ? `a list of ${value.map(shown).join(', ') || 'nothing'}` : shown(value),
  });
}

function readForAll(value: unknown): readonly ActionConfig[] {
  if (value === 'pull') return PULL;
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const known = items.flatMap((item) => FOR_ALL.filter((action) => action === item));
  if (known.length === 0 || known.length < items.length)
    throw new ValueError(`pull, or a list of ${alternatives(FOR_ALL)}`);
  return unique(known);
}
