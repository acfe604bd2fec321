import { compareVersions, type Version } from './version.ts';

/** The series of tags that are nothing but a version. */
const PLAIN = '*';

/** The newest of the versions that it is shown. Keeps no more than twice as many as it is asked for. */
export class NewestVersions {
  readonly #limit: number;
  #kept: Version[] = [];

  /** @param limit how many to keep; absent: all */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  add(version: Version): void {
    this.#kept.push(version);
    if (this.#kept.length > 2 * this.#limit) this.#kept = this.newest();
  }

  /** Returns them, the newest first. */
  newest(): Version[] {
    return this.#kept.toSorted((a, b) => compareVersions(b, a)).slice(0, this.#limit);
  }
}

/**
 * The newest version of the series that a repository is mostly about: of those that are nothing but a version; if there
 * is none, of the series with the most tags.
 */
export class NewestOfMainSeries {
  readonly #series = new Map<string, { count: number; newest: Version }>();

  add(version: Version): void {
    const known = this.#series.get(version.series);
    if (known === undefined) {
      this.#series.set(version.series, { count: 1, newest: version });
      return;
    }
    known.count += 1;
    if (compareVersions(version, known.newest) > 0) known.newest = version;
  }

  /** @returns undefined if it was shown none */
  newest(): Version | undefined {
    const plain = this.#series.get(PLAIN);
    if (plain !== undefined) return plain.newest;
    const [largest] = [...this.#series.values()].toSorted(
      (a, b) => b.count - a.count || compareVersions(b.newest, a.newest),
    );
    return largest?.newest;
  }
}
