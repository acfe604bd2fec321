import type { Larder } from './larder.ts';
import { until } from './until.ts';

/** What Larder's log says of a request. */
export interface LoggedRequest {
  readonly client: string;
  readonly userAgent: string;
  readonly requestKind: string;
  readonly upstream?: string;
  readonly repository?: string;
  readonly status: number;
  readonly complete: boolean;
}

/** Who has pulled what. */
export interface LoggedPull {
  readonly client: string;
  readonly upstream: string | undefined;
  readonly repository: string | undefined;
}

/** The requests that the log tells of so far. */
export function loggedRequests(mirror: Larder): readonly LoggedRequest[] {
  const lines = mirror.process.stdout().split('\n');
  const parsed = lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as object] : []));
  return parsed.filter((line) => 'msg' in line && line.msg === 'request') as LoggedRequest[];
}

/**
 * The pulls that the log tells of, each once: manifests that were sent. (Blobs need not be: a client has those of another image.)
 * @param program that the user agents begin with: `docker`, `containers` (podman's), `containerd`
 * @throws Error where it does not tell of `count` of them within a while
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
