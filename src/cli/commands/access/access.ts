import { Command, Option } from 'commander';
import { ACTIONS, isForNoRepository, type Action } from '../../../access/action.ts';
import { explainAccess, placeOf, type Explanation } from '../../../app/access/explain-access.ts';
import { principalOf } from '../../../app/access/principal-of.ts';
import { ConfigError } from '../../../config/config-problem.ts';
import type { ConfigSources } from '../../../config/source/config-sources.ts';
import { linesOf, loadConfig, systemSources } from '../../../config/load.ts';
import { configPath } from '../../../config/source/overrides.ts';
import { OperatorError } from '../../../operator/error.ts';
import { explanationLines } from '../../terminal/texts/access-explanation.ts';
import { EXIT_FAILED, EXIT_USAGE } from '../../terminal/exit-codes.ts';

const EXAMPLES = `
Examples:
  larder access explain --as user:alice ghcr.io/acme/app
  larder access explain --as anonymous --action metrics
`;

interface ExplainOptions {
  readonly as: string;
  readonly group: readonly string[];
  readonly action: Action;
  readonly config?: string;
  readonly json?: boolean;
}

/** The streams that the command writes to. */
interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** `larder access`: who may do what. */
export function accessCommand(
  sources: () => ConfigSources = systemSources,
  streams: Streams = process,
): Command {
  const explain = new Command('explain')
    .description('say whether a client may do something, and which rule decides; exit code 1: it may not')
    .argument('[repository]', 'such as debian or ghcr.io/acme/app; none for read, admin and metrics')
    .requiredOption(
      '--as <who>',
      'the client: anonymous, user:NAME, token:NAME, oidc:ISSUER:SUBJECT, serviceaccount:NAMESPACE/NAME',
    )
    .option('--group <name>', "a group that the issuer's token names; may be repeated", collect, [])
    .addOption(new Option('--action <action>', 'what it wants to do').choices(ACTIONS).default('pull'))
    .option('--config <file>', 'the configuration file (default: LARDER_CONFIG, else config.yaml)')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action((repository: string | undefined, options: ExplainOptions) => {
      process.exitCode = explainTo(streams, repository, options, sources());
    });
  return new Command('access').description('access control').addCommand(explain);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function explainTo(
  { stdout, stderr }: Streams,
  repository: string | undefined,
  options: ExplainOptions,
  sources: ConfigSources,
): number {
  const file = configPath(options.config, sources.env);
  try {
    const explanation = explain(repository, options, file, sources);
    const text =
      options.json === true
        ? JSON.stringify(toJson(explanation), undefined, 2)
        : explanationLines(explanation, file).join('\n');
    stdout.write(`${text}\n`);
    return explanation.isAllowed ? 0 : EXIT_FAILED;
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof OperatorError)) throw error;
    const lines = error instanceof ConfigError ? error.lines : [`larder: ${error.message}`];
    for (const line of lines) stderr.write(`${line}\n`);
    return EXIT_USAGE;
  }
}

function explain(
  repository: string | undefined,
  { as: word, group: groups, action }: ExplainOptions,
  file: string,
  sources: ConfigSources,
): Explanation {
  const config = loadConfig(file, sources);
  if ((repository === undefined) !== isForNoRepository(action)) {
    const expected = isForNoRepository(action) ? `no repository beside --action ${action}` : 'a repository';
    throw new OperatorError('invalid', `expected ${expected}`);
  }
  const principal = principalOf({ word, groups }, config);
  const place = repository === undefined ? undefined : placeOf(repository, config);
  return explainAccess(config, { principal, action, place }, linesOf(file, sources));
}

function toJson({ isAllowed, client, action, repository, isServed, considered }: Explanation): object {
  const decides = considered.findIndex((rule) => rule.isAboutRepository && rule.isAboutClient);
  return {
    allowed: isAllowed,
    as: client,
    action,
    repository: repository ?? null,
    served: isServed,
    decidedBy: considered[decides]?.rule ?? null,
    rules: considered.map(({ rule, line, text, isAboutRepository, isAboutClient }) => ({
      rule,
      line,
      text,
      matchesRepository: isAboutRepository,
      matchesClient: isAboutClient,
    })),
  };
}
