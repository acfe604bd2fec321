/** Prints a command's answer to `--json`. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}
