import type { Action } from './action.ts';
import { NO_AUTHENTICATION } from './authentication.ts';
import { Gate } from './gate.ts';
import { Rules } from './rules/rules.ts';

/** Returns the gate of a Larder whose configuration says nothing about access: every client may do the same. */
export function openGate(allow: readonly Action[]): Gate {
  const rules = new Rules([{ repositories: ['**'], who: [{ kind: 'anonymous' }], allow }], new Map());
  return new Gate(rules, NO_AUTHENTICATION);
}
