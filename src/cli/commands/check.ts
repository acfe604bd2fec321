import { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { ConfigSources } from '../../config/source/config-sources.ts';
import { loadConfig, systemSources } from '../../config/load.ts';
import { configPath } from '../../config/source/overrides.ts';
import { printConfig } from '../../config/print.ts';
import { ConfigError } from '../../config/config-problem.ts';
import { refusalToServe } from '../../app/refusal-to-serve.ts';
import { accessLine, dockerMirrorPath } from '../terminal/texts/access-line.ts';
import { openToOthers } from '../../store/fs/open-to-others.ts';

const EXAMPLES = `
Examples:
  larder check
  larder check --config /etc/larder/config.yaml
`;

interface CheckResult {
  /** 2: the configuration cannot be used. */
  readonly exitCode: 0 | 2;
  /** The configuration in effect, as YAML. */
  readonly output: string;
  /** One line for each mistake, or warning. */
  readonly errors: readonly string[];
}

/** Reads a configuration as `larder serve` would. Returns the configuration in effect, or its mistakes. */
export function check(path: string, sources: ConfigSources): CheckResult {
  try {
    const config = loadConfig(path, sources, refusalToServe);
    const warning = openToOthers(config.cache.directory);
    return {
      exitCode: 0,
      output: printConfig(config) + comments(config),
      errors: warning === undefined ? [] : [warning],
    };
  } catch (error) {
    if (error instanceof ConfigError) return { exitCode: 2, output: '', errors: error.lines };
    throw error;
  }
}

/** Says what follows from the configuration, in comments, so that the output is still a configuration. */
function comments(config: Config): string {
  const path = dockerMirrorPath(config);
  const docker =
    path === undefined || path === '' ? [] : [`Docker's registry-mirrors needs the path ${path}`];
  return [`access is ${accessLine(config)}`, ...docker].map((line) => `# ${line}\n`).join('');
}

/** The streams that the command writes to. */
interface CheckStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** `larder check`. Sets the process's exit code. */
export function checkCommand(
  sources: () => ConfigSources = systemSources,
  { stdout, stderr }: CheckStreams = process,
): Command {
  return new Command('check')
    .description('check the configuration and print what is in effect, with secrets hidden')
    .option('--config <file>', 'the configuration file (default: LARDER_CONFIG, else config.yaml)')
    .addHelpText('after', EXAMPLES)
    .action(({ config }: { config?: string }) => {
      const world = sources();
      const { exitCode, output, errors } = check(configPath(config, world.env), world);
      stdout.write(output);
      for (const line of errors) stderr.write(`${line}\n`);
      process.exitCode = exitCode;
    });
}
