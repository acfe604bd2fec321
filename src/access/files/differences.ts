/** How a list of named things differs from the one before. */
export interface Differences {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly altered: readonly string[];
}

/** Most names in each list: an event must not be as large as the file. */
const MAX_NAMES = 20;

export const NO_DIFFERENCES: Differences = { added: [], removed: [], altered: [] };

/** Compares two maps whose values stand for what may be altered. */
export function differences(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): Differences {
  return {
    added: bounded([...now.keys()].filter((name) => !before.has(name))),
    removed: bounded([...before.keys()].filter((name) => !now.has(name))),
    altered: bounded(
      [...now].flatMap(([name, value]) => (before.has(name) && before.get(name) !== value ? [name] : [])),
    ),
  };
}

function bounded(names: readonly string[]): readonly string[] {
  if (names.length <= MAX_NAMES) return names;
  return [...names.slice(0, MAX_NAMES), `and ${names.length - MAX_NAMES} more`];
}
