import type { Upstream } from '../../src/upstream/upstream.ts';

/** An upstream that does what `answer` does, whatever it is asked; and says how often it was. */
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
