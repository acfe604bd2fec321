import { overriding, section, type SectionValue } from './section.ts';
import { wait } from '../values/duration.ts';

// Headers must reach containerd within 30 s (its ResponseHeaderTimeout), so connecting and waiting take less.
const keys = () => ({
  connect: wait(1).prefault('5s').describe('Longest time to make a connection to upstream, TLS included.'),
  headers: wait(1)
    .prefault('15s')
    .describe(
      "Longest time from a request to its answer's headers. `connect` is added to it, since the request may have to wait " +
        'for a connection first.',
    ),
  body: wait(1)
    .prefault('30s')
    .describe('The longest silence inside a body. A body that keeps coming may take as long as it likes.'),
});

/** How long Larder waits for an upstream. */
export type UpstreamTimeouts = SectionValue<ReturnType<typeof keys>>;

/** `timeouts`: those of upstreams that set none of their own, and the clients'. */
export const timeouts = () =>
  section({
    ...keys(),
    answer: wait(1)
      .prefault('25s')
      .describe(
        "How long a client waits for its answer's headers, however many questions to upstream that takes. Then it " +
          'gets 504, while Larder goes on fetching. Less than the 30 s after which containerd gives up.',
      ),
  })
    .prefault({})
    .describe('How long Larder waits for upstreams. Each upstream may have its own, except for `answer`.');

/** An upstream's own `timeouts`. */
export const ownTimeouts = () =>
  section(overriding(keys())).prefault({}).describe('Overrides single keys of the general `timeouts`.');
