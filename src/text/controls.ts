/**
 * Makes a text safe to show on a terminal: every control becomes an escape (`\u009b`), and so does every invisible
 * mark. Controls steer terminals and break lines; bidirectional marks reorder them.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escapeUnits);
}

/** Does the same for JSON without changing its meaning: inside its texts, ASCII controls are escaped already. */
export function escapeControlsInJson(json: string): string {
  return json.replaceAll(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escapeUnits);
}

/** Returns an escape (`\u009b`) for each UTF-16 unit of a character. */
export function escapeUnits(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}
