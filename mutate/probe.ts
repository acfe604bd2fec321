import type { Span } from './mutant.ts';

/** A place with mutants, which reports when it runs. */
export interface Site extends Span {
  readonly id: number;
  readonly isBlock: boolean;
}

interface Insertion {
  readonly at: number;
  readonly text: string;
  /** Order at the same position: ends come before beginnings, and the shorter stretch lies within the longer one. */
  readonly order: number;
}

/** Name of the global function that the source calls with a site's number; probe-setup.ts defines it. */
export const HIT = '__larderHit';

/** Returns the source, changed so that each site reports when it runs. The lines stay the same. */
export function probed(source: string, sites: readonly Site[]): string {
  const insertions = sites.flatMap(insertionsOf).sort((a, b) => a.at - b.at || a.order - b.order);
  let text = '';
  let at = 0;
  for (const insertion of insertions) {
    text += source.slice(at, insertion.at) + insertion.text;
    at = insertion.at;
  }
  return text + source.slice(at);
}

function insertionsOf({ id, start, end, isBlock }: Site): Insertion[] {
  const length = end - start;
  if (isBlock) return [{ at: start + 1, text: `${HIT}(${id});`, order: 0 }];
  return [
    { at: start, text: `(${HIT}(${id}), `, order: 1 / length },
    { at: end, text: ')', order: length - Number.MAX_SAFE_INTEGER },
  ];
}
