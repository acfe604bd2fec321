/**
 * Text as a person may look at it on a terminal: every control is shown as an escape (`\u009b`), and so is every mark
 * that has no look of its own. Controls steer terminals and break lines; bidirectional marks reorder them.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escapeUnits);
}

/** The same for JSON, whose meaning stays: inside its texts ASCII controls are escaped already. */
export function escapeControlsInJson(json: string): string {
  return json.replaceAll(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escapeUnits);
}

/** `\u009b`, for each UTF-16 unit of a character. */
export function escapeUnits(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}
