import { alternatives, type ConfigProblem } from './config-problem.ts';
import type { Config } from './config.ts';
import type { Overrides } from './source/overrides.ts';
import { formatListenAddress, isLoopback } from './values/addresses/listen-address.ts';

/**
 * Refuses to listen beyond this machine with credentials for an upstream, unless the config says who may pull: else any
 * client that reaches the mirror could pull what only the account may.
 * @param overrides the parts of `config` that come from the environment
 * @returns why Larder must not listen, with lines that say who may pull; undefined if it may
 */
export function refusalToListen(config: Config, overrides: Overrides): ConfigProblem | undefined {
  if (isLoopback(config.listen) || config.access !== undefined) return undefined;
  const names = config.upstreams
    .filter(({ credentials }) => credentials !== undefined)
    .map(({ name }) => name);
  const [first] = names;
  if (first === undefined) return undefined;
  const isOverridden = overrides.listen !== undefined;
  const says = isOverridden ? ', as LARDER_LISTEN says' : '';
  const message =
    `refused to listen on ${formatListenAddress(config.listen)}${says}, which other machines can reach: any client ` +
    `could pull private images with the credentials of ${alternatives(names).replace(/ or /, ' and ')}; listen on ` +
    '127.0.0.1, or say who may pull, for example by these lines ("larder passwd NAME" makes the file and adds a ' +
    `user):\n${exampleOfAccess(names, names.length < config.upstreams.length)}`;
  return { path: isOverridden ? ['upstreams', first, 'credentials'] : ['listen'], message };
}

/**
 * Returns the lines of an `access` with which only users pull from some registries.
 * @param hasOthers whether there are other registries, which then are open to every client
 */
function exampleOfAccess(registries: readonly string[], hasOthers: boolean): string {
  const repositories = JSON.stringify(registries.map((name) => `${name}/**`)).replaceAll(',', ', ');
  // Without the second rule, a client without credentials would come to `anonymous`.
  const forOthers = [
    `    - { repositories: ${repositories}, who: [anonymous], allow: [] }`,
    '  anonymous: pull',
  ];
  return [
    'access:',
    '  users: ./users.htpasswd',
    '  rules:',
    `    - { repositories: ${repositories}, who: [authenticated], allow: [pull, tags] }`,
    ...(hasOthers ? forOthers : []),
  ].join('\n');
}
