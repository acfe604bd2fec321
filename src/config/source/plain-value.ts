/** A map as YAML reads it. */
export type PlainMap = Readonly<Record<string, unknown>>;

export function isPlainMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the map with each value replaced. */
export function mapValues(map: PlainMap, replace: (value: unknown, key: string) => unknown): PlainMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, replace(value, key)]));
}

/** Returns the maps below `upstreams`, as written. The schema reports entries that are no maps. */
export function upstreamEntries(file: unknown): readonly (readonly [name: string, entry: PlainMap])[] {
  const upstreams = isPlainMap(file) ? file['upstreams'] : undefined;
  if (!isPlainMap(upstreams)) return [];
  return Object.entries(upstreams).flatMap(([name, entry]) => {
    const map = entry ?? {};
    return isPlainMap(map) ? [[name, map] as const] : [];
  });
}

/** Returns the map at a key; an empty one if there is none. */
export function mapAt(map: PlainMap, key: string): PlainMap {
  const value = map[key];
  return isPlainMap(value) ? value : {};
}

/** Returns the list at a key; an empty one if there is none. */
export function listAt(map: PlainMap, key: string): readonly unknown[] {
  const value = map[key];
  return Array.isArray(value) ? value : [];
}
