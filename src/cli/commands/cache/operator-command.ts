import { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { OperatorError } from '../../../operator/error.ts';
import { EXIT_FAILED, EXIT_USAGE } from '../../terminal/exit-codes.ts';
import { openOperator, type OpenedOperator } from '../../../app/operator/open-operator.ts';
import { printJson } from '../../terminal/print-json.ts';
import { readConfig } from '../../terminal/read-config.ts';

export interface OperatorOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** The operator, the configuration and the options that a command works with. */
export interface Workplace extends OpenedOperator {
  readonly config: Config;
  /** Whether the output is for programs. */
  readonly isJson: boolean;
}

/** Makes a command on the cache, with the options that all such commands have. */
export function operatorCommand(name: string): Command {
  return new Command(name)
    .option('--config <file>', 'the configuration file (default: LARDER_CONFIG, else config.yaml)')
    .option('--json', 'print JSON');
}

/** Does a command's work, and sets the exit code if it fails. */
export async function withOperator(
  { config: option, json = false }: OperatorOptions,
  work: (workplace: Workplace) => Promise<void>,
): Promise<void> {
  const config = readConfig(option);
  if (config === undefined) {
    process.exitCode = EXIT_USAGE;
    return;
  }
  const opened = await openOperator(config);
  try {
    await work({ ...opened, config, isJson: json });
  } catch (error) {
    complain(error);
  } finally {
    await opened.close();
  }
}

/** The result for one of a command's references. */
type ReferenceResult<T> =
  | ({ readonly reference: string } & T)
  | { readonly reference: string; readonly error: { readonly code: string; readonly message: string } };

/** Acts on each reference. A failure with one of them does not stop the work on the others. */
export async function forEachReference<T extends object>(
  references: readonly string[],
  isJson: boolean,
  act: (reference: string) => Promise<T>,
  describe: (reference: string, result: T) => string,
): Promise<void> {
  const results: ReferenceResult<T>[] = [];
  for (const reference of references) {
    try {
      const result = await act(reference);
      results.push({ reference, ...result });
      if (!isJson) console.log(describe(reference, result));
    } catch (error) {
      const { code, message } = complain(error);
      results.push({ reference, error: { code, message } });
    }
  }
  if (isJson) printJson(results);
}

/** Prints the error and sets the exit code. @throws the error, if it is no OperatorError */
export function complain(error: unknown): OperatorError {
  if (!(error instanceof OperatorError)) throw error;
  console.error(`larder: ${error.message}`);
  // The graver of two codes wins: an invalid reference is a mistake in the command line.
  const code = error.code === 'invalid' ? EXIT_USAGE : EXIT_FAILED;
  process.exitCode = Math.max(code, Number(process.exitCode ?? 0));
  return error;
}
