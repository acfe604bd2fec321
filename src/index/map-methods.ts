/** A method of an index, for code that treats all of them alike. */
export type AnyMethod = (...args: readonly unknown[]) => Promise<unknown>;

/**
 * Returns the same methods, each wrapped: for decorators that do one thing with every call, so that no list of methods
 * has to be kept in step with the ports. The wrapping happens once; a call costs only the wrapper, whereas a Proxy
 * would look up each method.
 * @param methods an object whose methods are its own properties and need no `this`
 */
export function mapMethods<T extends object>(
  methods: T,
  wrap: (method: AnyMethod, name: keyof T) => AnyMethod,
): T {
  const entries = Object.entries(methods as Readonly<Record<string, AnyMethod>>);
  return Object.fromEntries(entries.map(([name, method]) => [name, wrap(method, name as keyof T)])) as T;
}
