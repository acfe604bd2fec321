import type { GoneWalk } from '../index/content-survey.ts';
import type { MaintainedContent } from './maintained-content.ts';
import type { Pacer } from '../async/pace.ts';
import type { Step, StepStats } from './steps.ts';

/**
 * How long the rows of evicted images are kept: an image that is pulled once a month need not be confirmed anew for its
 * repository, while the images that every CI build leaves (1 KB of rows each) are forgotten.
 */
const KEPT_MS = 30 * 24 * 3_600_000;

const PAGE = 100;

/** Returns the steps that remove rows that have outlived their bytes. The history of tags stays. */
export function forgetSteps(
  content: Pick<MaintainedContent, 'index' | 'clock'>,
  pacer: Pacer,
): Readonly<Record<string, Step>> {
  return {
    'forget tags of what is gone': () => forgetAll(content, pacer, 'tags'),
    'forget whom what is gone belonged to': () => forgetAll(content, pacer, 'belongings'),
    'forget manifests that belong to none': () => forgetAll(content, pacer, 'manifests'),
  };
}

async function forgetAll(
  { index, clock }: Pick<MaintainedContent, 'index' | 'clock'>,
  pacer: Pacer,
  of: GoneWalk['of'],
): Promise<StepStats> {
  let forgotten = 0;
  let after: string | undefined;
  do {
    const now = clock.now();
    const piece = await index.forgetGone({ of, after, limit: PAGE, now, goneBefore: now - KEPT_MS });
    forgotten += piece.forgotten;
    after = piece.after;
    await pacer.spend(Math.max(1, piece.rows));
  } while (after !== undefined);
  return { [of]: forgotten };
}
