import { Argument, Command } from 'commander';
import { SCRIPTS } from '../completion/scripts.ts';
import { completionsOf } from '../completion/words.ts';

const EXAMPLES = `
Examples:
  larder completion bash   > ~/.local/share/bash-completion/completions/larder
  larder completion zsh    > ~/.zfunc/_larder
  larder completion fish   > ~/.config/fish/completions/larder.fish
`;

/** `larder completion`: a script by which a shell completes the commands and options of Larder. */
export function completionCommand(): Command {
  const command = new Command('completion')
    .description('print what makes a shell complete the commands and options of larder')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: keyof typeof SCRIPTS) => {
      const program = command.parent ?? command;
      process.stdout.write(SCRIPTS[shell](completionsOf(program)));
    });
  return command;
}
