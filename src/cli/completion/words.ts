import type { Command } from 'commander';

/** What may follow a command on the command line. */
export interface Completions {
  /** The command without `larder`: `token create`; empty for the program itself. */
  readonly at: string;
  readonly words: readonly CompletionWord[];
}

/** A command, an argument of which there are only some, or an option. */
export interface CompletionWord {
  readonly text: string;
  readonly description: string;
}

/** Lists what may follow each command of a program, the program itself first. */
export function completionsOf(command: Command, at = ''): readonly Completions[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).map((each) => ({
    text: each.name(),
    description: each.description(),
  }));
  const choices = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((text) => ({ text, description })),
  );
  const options = help
    .visibleOptions(command)
    .flatMap(({ long, description }) =>
      long === undefined || long === null ? [] : [{ text: long, description }],
    );
  const below = command.commands.flatMap((each) => completionsOf(each, `${at} ${each.name()}`.trim()));
  return [{ at, words: [...commands, ...choices, ...options] }, ...below];
}
