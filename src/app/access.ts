import { NO_AUTHENTICATION } from '../access/authentication.ts';
import { Gate } from '../access/gate.ts';
import { rulesOf, type AccessSettings } from './access-rules.ts';

/** Access control, as the configuration wants it. */
export interface Access {
  readonly gate: Gate;
}

export function createAccess(settings: AccessSettings): Access {
  return { gate: new Gate(rulesOf(settings), NO_AUTHENTICATION) };
}
