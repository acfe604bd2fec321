import { escapeControlsInJson } from '../../text/controls.ts';

/** Prints a command's answer to `--json`; registries write some of its texts, and a terminal may show them. */
export function printJson(value: unknown): void {
  console.log(escapeControlsInJson(JSON.stringify(value, undefined, 2)));
}
