/** What YAML makes of a map. */
export type PlainMap = Readonly<Record<string, unknown>>;

export function isPlainMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same map with each value replaced. */
export function mapValues(map: PlainMap, replace: (value: unknown, key: string) => unknown): PlainMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, replace(value, key)]));
}

/** The maps under `upstreams`, as written; what is not a map is left to the schema to report. */
export function upstreamEntries(file: unknown): readonly (readonly [name: string, entry: PlainMap])[] {
  const upstreams = isPlainMap(file) ? file['upstreams'] : undefined;
  if (!isPlainMap(upstreams)) return [];
  return Object.entries(upstreams).flatMap(([name, entry]) => {
    const map = entry ?? {};
    return isPlainMap(map) ? [[name, map] as const] : [];
  });
}
