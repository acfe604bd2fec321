import type { Target } from '../../src/mirror/target.ts';
import { parseRepositoryName } from '../../src/oci/repository-name.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';

/** An upstream that answers every request by `answer`, and counts the requests. */
export class StubUpstream {
  calls = 0;
  answer: () => Promise<never> | Promise<undefined> = () => Promise.resolve(undefined);
  readonly upstream: Upstream;

  constructor(name = 'registry.test') {
    const ask = (): Promise<never> => {
      this.calls += 1;
      return this.answer() as Promise<never>;
    };
    this.upstream = {
      name,
      resolve: ask,
      manifest: ask,
      blob: ask,
      statBlob: ask,
      tags: ask,
      referrers: ask,
      rateLimit: () => undefined,
      accountRefusal: () => undefined,
      close: () => Promise.resolve(),
    };
  }
}

/** A policy by which each request confirms its tag, and nothing is kept. */
const ASKED_EACH_TIME: Target['tags'] = {
  ttlMs: 0,
  staleForMs: 0,
  deadlineMs: 0,
  isImmutable: () => false,
  onDeleted: 'drop',
  quotaReserve: 0,
};

/** Makes a repository whose upstream is asked before bytes are given. */
export function targetOf(upstream: Upstream, repository = 'acme/app'): Target {
  return {
    upstream,
    key: { registry: upstream.name, repository: parseRepositoryName(repository) },
    tags: ASKED_EACH_TIME,
    permission: { isOpen: false, checksReferences: false },
  };
}
