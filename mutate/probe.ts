import type { Span } from './mutant.ts';

/** A place where mutants are, which tells when it is run. */
export interface Site extends Span {
  readonly id: number;
  readonly isBlock: boolean;
}

interface Insertion {
  readonly at: number;
  readonly text: string;
  /** Among those at one place: what ends comes before what begins, and the shorter stretch lies within the longer. */
  readonly order: number;
}

/** What the source calls with the number of a site; test/mutate's set-up file puts it there. */
export const HIT = '__larderHit';

/** The source, in which each site says that it is run. Lines stay what they are. */
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
