/**
 * In lower case as names of hosts and registries are compared: A to Z only. `toLowerCase` makes an ASCII letter of
 * some that are none (the Kelvin sign becomes `k`), so that a name would stand for another one.
 */
export function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
