import type { Larder } from './larder.ts';
import { until } from './until.ts';

/** A request as Larder's log tells it. */
export interface LoggedRequest {
  readonly client: string;
  readonly userAgent: string;
  readonly requestKind: string;
  readonly upstream?: string;
  readonly repository?: string;
  readonly status: number;
  readonly complete: boolean;
}

/** A pull: the client and the image. */
export interface LoggedPull {
  readonly client: string;
  readonly upstream: string | undefined;
  readonly repository: string | undefined;
}

/** Returns the requests in the log so far. */
export function loggedRequests(mirror: Larder): readonly LoggedRequest[] {
  const lines = mirror.process.stdout().split('\n');
  const parsed = lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as object] : []));
  return parsed.filter((line) => 'msg' in line && line.msg === 'request') as LoggedRequest[];
}

/**
 * Returns the pulls in the log, each once, by the manifests that were sent. (Blobs need not be sent: a client may have
 * them from another image.)
 * @param program the beginning of the user agents: `docker`, `containers` (podman's), `containerd`
 * @throws Error if the log has fewer than `count` pulls after a while
 */
export async function loggedPulls(
  mirror: Larder,
  program: string,
  count: number,
): Promise<readonly LoggedPull[]> {
  return until(`${count} pulls by ${program} are in the log`, () => {
    const pulls = pullsOf(loggedRequests(mirror).filter((line) => line.userAgent.startsWith(`${program}/`)));
    return pulls.length >= count ? pulls : undefined;
  });
}

function pullsOf(requests: readonly LoggedRequest[]): readonly LoggedPull[] {
  const sent = requests.filter(
    (line) => line.requestKind === 'manifest' && line.status === 200 && line.complete,
  );
  const pulls = sent.map(({ client, upstream, repository }) => ({ client, upstream, repository }));
  return [...new Map(pulls.map((pull) => [JSON.stringify(pull), pull])).values()];
}
