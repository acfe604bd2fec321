import { dirname, resolve } from 'node:path';
import type { Environment } from './interpolate.ts';

/** The world that a configuration is read from. */
export interface ConfigSources {
  readonly env: Environment;
  /** The folder that relative paths on the command line and in the environment start at. */
  readonly cwd: string;
  /** What `~/` stands for. */
  readonly home: string;
  /** A file as text; throws Node's errors with a `code`. */
  readonly readText: (path: string) => string;
  /** Whether an absolute path is a program that this process may run. */
  readonly isProgram: (path: string) => boolean;
}

/** Makes paths of the config file absolute: relative ones start at its folder, `~/` at the home folder. */
export function pathResolver(configPath: string, { cwd, home }: ConfigSources): (path: string) => string {
  const folder = dirname(resolve(cwd, configPath));
  return (path) => (path.startsWith('~/') ? resolve(home, path.slice(2)) : resolve(folder, path));
}
