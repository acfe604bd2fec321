/** The oldest major version of Node that runs Larder; `engines` in package.json says the same. */
export const OLDEST_NODE = 24;

/** Returns why a version of Node, such as `20.19.0`, cannot run Larder; undefined if it can. */
export function nodeRefusal(version: string): string | undefined {
  if (Number(version.split('.', 1)[0]) >= OLDEST_NODE) return undefined;
  return `larder needs Node ${OLDEST_NODE} or later, and this is Node ${version}: see https://nodejs.org/en/download`;
}
