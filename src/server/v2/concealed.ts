import type { Gate } from '../../access/gate.ts';
import type { Identity } from '../../access/identity.ts';
import { RegistryError } from '../../oci/error.ts';

/**
 * Runs the routing of a request. If it fails, the error tells the client only what it may learn of the configuration:
 * without credentials nothing, where some repositories are closed; and with them not that a repository is forbidden.
 * @throws AccessError no-credentials; RegistryError as `find` does, but not DENIED if some repositories are closed
 */
export function concealed<T>(gate: Gate, identity: Identity, find: () => T): T {
  try {
    return find();
  } catch (error) {
    gate.assertMayLearn(identity);
    throw gate.isClosed ? unforbidden(error) : error;
  }
}

function unforbidden(error: unknown): unknown {
  if (!(error instanceof RegistryError) || error.code !== 'DENIED') return error;
  return new RegistryError('NAME_UNKNOWN', 'there is no such thing here', { cause: error });
}
