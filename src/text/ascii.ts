/**
 * Returns a text in lower case for comparing names of hosts and registries: changes A to Z only. `toLowerCase` turns
 * some other characters into ASCII letters (the Kelvin sign into `k`), so that one name would stand for another.
 */
export function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
