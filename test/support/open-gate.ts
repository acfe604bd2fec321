import type { Action } from '../../src/access/action.ts';
import { NO_AUTHENTICATION } from '../../src/access/authentication.ts';
import { Gate } from '../../src/access/gate.ts';
import { Rules } from '../../src/access/rules/rules.ts';

/** Returns the gate of a Larder whose configuration says nothing about access: every client may do the same. */
export function openGate(allow: readonly Action[]): Gate {
  const rules = new Rules([{ repositories: ['**'], who: [{ kind: 'anonymous' }], allow }], new Map());
  return new Gate(rules, NO_AUTHENTICATION);
}
