import type { ConfigProblem } from '../config/config-problem.ts';
import type { Config } from '../config/config.ts';
import { refusalToListen } from '../config/listen-refusal.ts';
import type { Refusal, RefusalContext } from '../config/refusal.ts';
import { errorCode } from '../config/source/referenced-files.ts';
import { quoted } from '../text/quoted.ts';

/**
 * Returns why a server must not start with a configuration without mistakes; undefined if it may. The commands of the
 * operator do not ask this: `larder passwd` makes the file of users.
 */
export const refusalToServe: Refusal = (config, context) =>
  refusalToListen(config, context.overrides) ?? usersProblem(config, context);

function usersProblem({ access }: Config, { readText }: RefusalContext): ConfigProblem | undefined {
  if (access?.users === undefined) return undefined;
  try {
    readText(access.users);
    return undefined;
  } catch (error) {
    const message = `expected a file that can be read, got ${quoted(access.users)} (${errorCode(error)}); "larder passwd NAME" makes it`;
    return { path: ['access', 'users'], message };
  }
}
