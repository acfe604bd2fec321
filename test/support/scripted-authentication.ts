import { AccessError, type AccessFailure } from '../../src/access/access-error.ts';
import type { Authentication, Login } from '../../src/access/authentication.ts';
import type { Identity } from '../../src/access/identity.ts';
import { ANONYMOUS } from '../../src/access/principal.ts';

/**
 * Knows each client by the text of its Authorization, without any scheme: who it is, or how its credentials fail. Texts
 * that are not listed are wrong.
 * @param isInstant whether it knows at once, as after a first request, or takes a turn
 */
export function scriptedAuthentication(
  known: Readonly<Record<string, Identity | AccessFailure>>,
  isInstant = true,
): Authentication & Login {
  const read = (authorization: string | undefined): Identity | AccessFailure =>
    authorization === undefined ? { principal: ANONYMOUS } : (known[authorization] ?? 'wrong-credentials');
  const identify = async (authorization: string | undefined): Promise<Identity> => {
    await Promise.resolve();
    const found = read(authorization);
    if (typeof found !== 'string') return found;
    throw new AccessError(found, 'the credentials are refused', {
      ...(found === 'throttled' && { retryAfterMs: 7_000 }),
    });
  };
  return {
    identifyNow: (authorization) => {
      const found = read(authorization);
      return isInstant && typeof found !== 'string' ? found : undefined;
    },
    identify: ({ authorization }) => identify(authorization),
    login: async ({ authorization }) => ({ identity: await identify(authorization) }),
  };
}
