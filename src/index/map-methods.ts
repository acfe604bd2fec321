/** A method of an index, to what treats all of them alike. */
export type AnyMethod = (...args: readonly unknown[]) => Promise<unknown>;

/**
 * The same methods, each with something around it: for decorators that do one thing with every call, so that no list of
 * methods has to be kept in step with the ports. It is done once; a call costs the wrapper and nothing else, where a
 * Proxy would look each one up.
 * @param methods an object whose methods are its own properties and need no `this`
 */
export function mapMethods<T extends object>(
  methods: T,
  wrap: (method: AnyMethod, name: keyof T) => AnyMethod,
): T {
  const entries = Object.entries(methods as Readonly<Record<string, AnyMethod>>);
  return Object.fromEntries(entries.map(([name, method]) => [name, wrap(method, name as keyof T)])) as T;
}
