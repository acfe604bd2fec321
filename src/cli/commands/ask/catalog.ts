import type { Command } from 'commander';
import { parseAskedRegistry } from '../../../asking/asked.ts';
import { asJson, asLines, writeTexts } from '../../terminal/output.ts';
import { askCommand, withAskers, type AskOptions } from './ask-command.ts';

const EXAMPLES = `
Examples:
  larder catalog localhost:5000
  larder catalog registry.example --insecure
`;

/** `larder catalog`: the repositories of a registry. */
export function catalogCommand(): Command {
  return askCommand('catalog')
    .description('list the repositories of a registry; many public registries refuse to')
    .argument('<registry>', 'such as registry.example or localhost:5000')
    .addHelpText('after', EXAMPLES)
    .action(async (text: string, options: AskOptions) => {
      await withAskers(options, async (askers) => {
        const registry = parseAskedRegistry(text);
        const pages = askers.of(registry).catalog();
        const isJson = options.json === true;
        await writeTexts(
          isJson ? asJson({ registry: registry.name }, 'repositories', pages) : asLines(pages),
        );
      });
    });
}
