import type { Completions, CompletionWord } from './words.ts';

/** Writes a shell's script, which needs no run of Larder: it holds all commands and options. */
export type WriteScript = (completions: readonly Completions[]) => string;

/** The shells whose scripts can be written, by name. */
export const SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', WriteScript>> = { bash, zsh, fish };

/** Where no command or option fits, bash completes names of files (`-o default`). */
function bash(completions: readonly Completions[]): string {
  return `_larder() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${descent(completions)}
  done
${choice(completions)}
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _larder larder
`;
}

function zsh(completions: readonly Completions[]): string {
  return `#compdef larder
_larder() {
  local at='' word words_here=''
  for word in "\${(@)words[2,CURRENT-1]}"; do
${descent(completions)}
  done
${choice(completions, 'words_here')}
  compadd -- \${=words_here}
  _files
}
# As a file of fpath, this whole script is the function at its first call.
if [ "$funcstack[1]" = _larder ]; then _larder; else compdef _larder larder; fi
`;
}

/** Fish shows descriptions, so each word is a line of its own. */
function fish(completions: readonly Completions[]): string {
  return completions.map(({ at, words }) => words.map((word) => fishLine(at, word, words)).join('')).join('');
}

function fishLine(
  at: string,
  { text, description }: CompletionWord,
  beside: readonly CompletionWord[],
): string {
  const commands = beside.filter((word) => !word.text.startsWith('-')).map((word) => word.text);
  const seen = at.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const isBefore = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${commands.join(' ')}`];
  const condition = [...(at === '' ? [] : seen), ...isBefore].join('; and ') || 'true';
  const word = text.startsWith('--') ? `-l ${text.slice(2)}` : `-f -a ${text}`;
  return `complete -c larder -n '${condition}' ${word} -d '${description.replaceAll(/['\\]/g, String.raw`\$&`)}'\n`;
}

/** Goes down from command to subcommand; other words, such as options and their values, change nothing. */
function descent(completions: readonly Completions[]): string {
  const paths = completions.filter(({ at }) => at !== '').map(({ at }) => `'${at}'`);
  return `    case "\${at:+$at }$word" in
      ${paths.join('|')}) at="\${at:+$at }$word" ;;
    esac`;
}

function choice(completions: readonly Completions[], variable = 'words'): string {
  const cases = completions.map(
    ({ at, words }) => `    '${at}') ${variable}='${words.map(({ text }) => text).join(' ')}' ;;`,
  );
  return `  case "$at" in\n${cases.join('\n')}\n  esac`;
}
