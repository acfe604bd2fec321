import type { Whereabouts } from './coverage.ts';
import type { Candidate, Mutant } from './mutant.ts';
import type { Site } from './probe.ts';

/** The sites of all mutants, numbered. A site may have several mutants. */
export class Sites {
  readonly #byPath: ReadonlyMap<string, readonly (Site & { readonly isStatic: boolean })[]>;

  constructor(candidates: readonly Candidate[]) {
    let id = 0;
    this.#byPath = new Map(
      [...Map.groupBy(candidates, ({ path }) => path)].map(([path, ofPath]) => {
        const places = new Map(ofPath.map(({ mutant }) => [placeOf(mutant), mutant]));
        return [path, [...places.values()].map((mutant) => ({ id: id++, ...mutant }))];
      }),
    );
  }

  /** Returns the sites of a source, by its path. */
  of(path: string): readonly Site[] {
    return this.#byPath.get(path) ?? [];
  }

  whereaboutsOf({ path, mutant }: Candidate): Whereabouts {
    const all = this.#byPath.get(path) ?? [];
    const site = all.find((site) => placeOf(site) === placeOf(mutant));
    if (site === undefined) throw new Error(`${path} has no such mutant`);
    const siblings = all.filter(({ isStatic }) => !isStatic).map(({ id }) => id);
    return { path, site: site.id, isStatic: mutant.isStatic, siblings };
  }
}

function placeOf({ start, end }: Pick<Mutant, 'start' | 'end'>): string {
  return `${start}-${end}`;
}
