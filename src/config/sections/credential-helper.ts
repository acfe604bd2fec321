import { delimiter, resolve } from 'node:path';
import type { ConfigProblem } from '../config-problem.ts';
import type { ConfigSources } from '../source/config-sources.ts';
import { isPlainMap, upstreamEntries } from '../source/plain-value.ts';

/** The name of a helper program. Only Docker's own config shortens `docker-credential-ecr-login` to `ecr-login`. */
export const HELPER = /^(?:\S*\/)?docker-credential-[\w.-]+$/;

/** Reports helper programs that cannot be run. Otherwise a mistake would show only once upstream wants an account. */
export function checkHelpers(
  file: unknown,
  resolvePath: (path: string) => string,
  sources: Pick<ConfigSources, 'env' | 'cwd' | 'isProgram'>,
): readonly ConfigProblem[] {
  return upstreamEntries(file).flatMap(([name, { credentials }]) => {
    const helper = isPlainMap(credentials) ? credentials['helper'] : undefined;
    if (typeof helper !== 'string' || !HELPER.test(helper)) return [];
    const places = helper.includes('/') ? [resolvePath(helper)] : placesInPath(helper, sources);
    if (places.some((place) => sources.isProgram(place))) return [];
    const expected = helper.includes('/') ? 'a program that can be run' : 'a program that is in PATH';
    return [
      { path: ['upstreams', name, 'credentials', 'helper'], message: `expected ${expected}, found none` },
    ];
  });
}

/** Returns the paths where execvp(3) looks for the program. */
function placesInPath(program: string, { env, cwd }: Pick<ConfigSources, 'env' | 'cwd'>): readonly string[] {
  return (env['PATH'] ?? '').split(delimiter).map((folder) => resolve(cwd, folder, program));
}
