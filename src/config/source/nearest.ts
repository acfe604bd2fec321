/**
 * Returns the candidate that `text` was most likely meant to be: at most a third of its characters differ, ignoring
 * case, `-` and `_`. Returns undefined if none is near.
 */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const written = simplify(text);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const meant = simplify(candidate);
    const distance = editDistance(written, meant);
    if (distance <= meant.length / 3 && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Returns whether an unknown key of `record` looks like a misspelt `key`. */
export function isMisspelt(record: object, key: string, known: readonly string[]): boolean {
  return Object.keys(record).some((written) => !known.includes(written) && nearest(written, known) === key);
}

function simplify(text: string): string {
  return text.slice(0, 100).toLowerCase().replaceAll(/[-_]/g, '');
}

/** Counts insertions, deletions, substitutions and swaps of neighbours from `a` to `b` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
        isSwap ? at(beforePrevious, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
