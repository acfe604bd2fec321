import { ask } from '../../test/support/e2e/http-client.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { by, type Contestant } from './server.ts';
import { ACCEPT } from './wrk.ts';

/** Makes sure that only right bytes are measured. @throws Error if the body has another digest */
export async function expectContent(
  contestants: readonly Contestant[],
  path: string,
  digest: Digest,
): Promise<void> {
  for (const { name, url, ca, authorization } of contestants) {
    const headers = {
      Accept: ACCEPT,
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    };
    const answer = await ask(`${url}${path}`, { headers, discard: true, ...by(ca) });
    if (answer.status === 200 && answer.complete && answer.digest === digest) continue;
    throw new Error(
      `${name} answered ${path} with ${answer.status} and ${answer.bytes} bytes of ${answer.digest}`,
    );
  }
}
